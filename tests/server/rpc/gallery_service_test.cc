#include "server/rpc/gallery_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <limits>
#include <optional>
#include <string>

#include "tests/server/rpc/service_fixture.h"

namespace facegate {
namespace {

class GalleryServiceTest : public ServiceTest {
 protected:
  Status CreateCollection(const std::string& id, v1::CreateCollectionResponse* response) {
    v1::CreateCollectionRequest request;
    request.set_collection_id(id);
    return galleries_->CreateCollection(call_, request, response);
  }
  using ServiceTest::CreateCollection;
};

TEST_F(GalleryServiceTest, CreatesACollectionBoundToTheServersModel) {
  v1::CreateCollectionRequest request;
  request.set_collection_id("staff");
  request.set_min_cosine(0.375f);
  v1::CreateCollectionResponse created;
  ASSERT_THAT(galleries_->CreateCollection(call_, request, &created), IsOk());
  const v1::Collection& collection = created.collection();
  EXPECT_EQ(collection.name(), "collections/staff");
  EXPECT_EQ(collection.id(), "staff");
  EXPECT_EQ(collection.min_cosine(), 0.375f);
  EXPECT_EQ(collection.model_digest(), engine_.model().model_digest);
  EXPECT_EQ(collection.preprocessing_digest(), engine_.model().preprocessing_digest);
  EXPECT_TRUE(collection.usable());
  EXPECT_EQ(collection.create_time().seconds(), clock_.UnixMicros() / 1'000'000);

  v1::GetCollectionRequest get;
  get.set_collection_id("staff");
  v1::GetCollectionResponse got;
  ASSERT_THAT(galleries_->GetCollection(call_, get, &got), IsOk());
  EXPECT_EQ(got.collection().SerializeAsString(), collection.SerializeAsString());
}

TEST_F(GalleryServiceTest, ACollectionWithoutAThresholdHasNone) {
  v1::CreateCollectionResponse created;
  ASSERT_THAT(CreateCollection("staff", &created), IsOk());
  EXPECT_FALSE(created.collection().has_min_cosine());
}

TEST_F(GalleryServiceTest, RefusesACollectionThatExistsOrIsMalformed) {
  v1::CreateCollectionResponse response;
  EXPECT_THAT(CreateCollection("people", &response), RefusedWith(Reason::kCollectionExists));
  EXPECT_THAT(CreateCollection("", &response), RefusedWith(Reason::kInvalidField));
  v1::CreateCollectionRequest request;
  request.set_collection_id("staff");
  for (const float wrong : {1.5f, -1.5f, std::numeric_limits<float>::quiet_NaN()}) {
    request.set_min_cosine(wrong);
    const Status status = galleries_->CreateCollection(call_, request, &response);
    EXPECT_THAT(status, RefusedWith(Reason::kInvalidField));
    EXPECT_EQ(FieldOf(status), "min_cosine");
  }
}

TEST_F(GalleryServiceTest, ChangesTheOperatingPointOfACollection) {
  Enroll("7", 1);
  v1::UpdateCollectionRequest request;
  request.set_collection_id("people");
  request.mutable_update_mask()->add_paths("min_cosine");
  request.mutable_collection()->set_min_cosine(0.75f);
  request.mutable_collection()->set_etag(gallery_->GetCollection("people")->etag);
  clock_.Advance(std::chrono::seconds(5));
  v1::UpdateCollectionResponse changed;
  ASSERT_THAT(galleries_->UpdateCollection(call_, request, &changed), IsOk());
  EXPECT_EQ(changed.collection().min_cosine(), 0.75f);
  EXPECT_EQ(changed.collection().template_count(), 1u);
  EXPECT_NE(changed.collection().etag(), request.collection().etag());
  EXPECT_EQ(changed.collection().update_time().seconds(),
            changed.collection().create_time().seconds() + 5);
  v1::VerifyRequest verify;
  verify.set_collection_id("people");
  verify.set_identity_id("7");
  *verify.mutable_probe() = Crop(1);
  v1::VerifyResponse verified;
  ASSERT_THAT(faces_->Verify(call_, verify, &verified), IsOk());
  EXPECT_EQ(verified.basis().threshold(), 0.75f);
}

TEST_F(GalleryServiceTest, TakesTheOperatingPointOfACollectionAway) {
  v1::UpdateCollectionRequest request;
  request.set_collection_id("people");
  request.mutable_update_mask()->add_paths("min_cosine");
  v1::UpdateCollectionResponse changed;
  ASSERT_THAT(galleries_->UpdateCollection(call_, request, &changed), IsOk());
  EXPECT_FALSE(changed.collection().has_min_cosine());
  EXPECT_FALSE(gallery_->GetCollection("people")->settings.min_cosine.has_value());
}

TEST_F(GalleryServiceTest, KeepsWhichPhotoATemplateComesFrom) {
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  *request.add_samples() = Crop(1);
  request.mutable_samples(0)->set_source_digest(std::string(64, 'a'));
  *request.add_samples() = Crop(2);
  v1::EnrollResponse enrolled;
  ASSERT_THAT(faces_->Enroll(call_, request, &enrolled), IsOk());
  EXPECT_EQ(enrolled.samples(0).template_().source_digest(), std::string(64, 'a'));
  v1::ListTemplatesRequest list;
  list.set_collection_id("people");
  list.set_identity_id("7");
  v1::ListTemplatesResponse templates;
  ASSERT_THAT(galleries_->ListTemplates(call_, list, &templates), IsOk());
  EXPECT_EQ(templates.templates(0).source_digest(), std::string(64, 'a'));
  EXPECT_EQ(templates.templates(1).source_digest(), "");
}

TEST_F(GalleryServiceTest, CountsWhatACollectionHolds) {
  Enroll("1", 1);
  Enroll("1", 2);
  Enroll("2", 3);
  v1::GetCollectionRequest request;
  request.set_collection_id("people");
  v1::GetCollectionResponse response;
  ASSERT_THAT(galleries_->GetCollection(call_, request, &response), IsOk());
  EXPECT_EQ(response.collection().identity_count(), 2u);
  EXPECT_EQ(response.collection().template_count(), 3u);
}

TEST_F(GalleryServiceTest, DeletesACollectionThatIsEmptyOrByForce) {
  Enroll("7", 1);
  v1::DeleteCollectionRequest request;
  request.set_collection_id("people");
  v1::DeleteCollectionResponse response;
  EXPECT_THAT(galleries_->DeleteCollection(call_, request, &response),
              RefusedWith(Reason::kCollectionNotEmpty));
  request.set_force(true);
  EXPECT_THAT(galleries_->DeleteCollection(call_, request, &response), IsOk());
  EXPECT_THAT(galleries_->DeleteCollection(call_, request, &response),
              RefusedWith(Reason::kCollectionNotFound));
}

TEST_F(GalleryServiceTest, DeletesAnIdentityWithItsTemplates) {
  Enroll("7", 1);
  Enroll("7", 2);
  v1::DeleteIdentityRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  v1::DeleteIdentityResponse response;
  ASSERT_THAT(galleries_->DeleteIdentity(call_, request, &response), IsOk());
  EXPECT_EQ(response.deleted_templates(), 2u);
  v1::GetIdentityRequest get;
  get.set_collection_id("people");
  get.set_identity_id("7");
  v1::GetIdentityResponse got;
  EXPECT_THAT(galleries_->GetIdentity(call_, get, &got), RefusedWith(Reason::kIdentityNotFound));
  EXPECT_THAT(galleries_->DeleteIdentity(call_, request, &response),
              RefusedWith(Reason::kIdentityNotFound));
}

TEST_F(GalleryServiceTest, DeletesATemplate) {
  Enroll("7", 1);
  const std::string name = Enroll("7", 2);
  v1::DeleteTemplateRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  v1::DeleteTemplateResponse response;
  EXPECT_THAT(galleries_->DeleteTemplate(call_, request, &response),
              RefusedWith(Reason::kInvalidField));
  request.set_template_id(std::stoull(name.substr(name.rfind('/') + 1)));
  ASSERT_THAT(galleries_->DeleteTemplate(call_, request, &response), IsOk());
  EXPECT_THAT(galleries_->DeleteTemplate(call_, request, &response),
              RefusedWith(Reason::kTemplateNotFound));
  v1::GetIdentityRequest get;
  get.set_collection_id("people");
  get.set_identity_id("7");
  v1::GetIdentityResponse got;
  ASSERT_THAT(galleries_->GetIdentity(call_, get, &got), IsOk());
  EXPECT_EQ(got.identity().template_count(), 1u);
}

TEST_F(GalleryServiceTest, ACollectionOfAnotherModelIsListedAndDeletedButNotUsable) {
  CreateCollection("old", OtherModel(), std::nullopt);
  v1::GetCollectionRequest get;
  get.set_collection_id("old");
  v1::GetCollectionResponse got;
  ASSERT_THAT(galleries_->GetCollection(call_, get, &got), IsOk());
  EXPECT_FALSE(got.collection().usable());
  EXPECT_EQ(got.collection().model_digest(), OtherModel().model_digest);
  v1::ListIdentitiesRequest list;
  list.set_collection_id("old");
  v1::ListIdentitiesResponse listed;
  EXPECT_THAT(galleries_->ListIdentities(call_, list, &listed), IsOk());
  v1::DeleteCollectionRequest request;
  request.set_collection_id("old");
  v1::DeleteCollectionResponse response;
  EXPECT_THAT(galleries_->DeleteCollection(call_, request, &response), IsOk());
}

}  // namespace
}  // namespace facegate
