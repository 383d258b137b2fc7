#include "server/rpc/gallery_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <limits>
#include <string>
#include <vector>

#include "tests/server/rpc/service_fixture.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

class GalleryServiceTest : public ServiceTest {
 protected:
  // Pages through a list; the ids in their order.
  template <typename Request, typename Response, typename Items>
  std::vector<std::string> ListAll(Request request,
                                   Status (GalleryService::*method)(const CallContext&,
                                                                    const Request&, Response*),
                                   const Items& items, int page_size, int* pages = nullptr) {
    std::vector<std::string> ids;
    request.set_page_size(page_size);
    for (;;) {
      Response response;
      EXPECT_THAT((galleries_.get()->*method)(call_, request, &response), IsOk());
      EXPECT_LE((response.*items)().size(), page_size);
      for (const auto& item : (response.*items)()) ids.push_back(item.name());
      if (pages != nullptr) ++*pages;
      if (response.next_page_token().empty() || ids.size() > 100) return ids;
      request.set_page_token(response.next_page_token());
    }
  }
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

TEST_F(GalleryServiceTest, ListsCollectionsInPages) {
  for (const std::string id : {"a", "b", "c", "z"}) {
    v1::CreateCollectionResponse response;
    ASSERT_THAT(CreateCollection(id, &response), IsOk());
  }
  int pages = 0;
  EXPECT_THAT(ListAll(v1::ListCollectionsRequest(), &GalleryService::ListCollections,
                      static_cast<const google::protobuf::RepeatedPtrField<v1::Collection>& (
                          v1::ListCollectionsResponse::*)() const>(
                          &v1::ListCollectionsResponse::collections),
                      2, &pages),
              ElementsAre("collections/a", "collections/b", "collections/c", "collections/people",
                          "collections/z"));
  EXPECT_EQ(pages, 3);
}

TEST_F(GalleryServiceTest, ListsIdentitiesInPages) {
  for (uint64_t i = 1; i <= 4; ++i) Enroll(std::to_string(i), i);
  v1::ListIdentitiesRequest request;
  request.set_collection_id("people");
  int pages = 0;
  EXPECT_THAT(
      ListAll(request, &GalleryService::ListIdentities,
              static_cast<const google::protobuf::RepeatedPtrField<v1::Identity>& (
                  v1::ListIdentitiesResponse::*)() const>(&v1::ListIdentitiesResponse::identities),
              2, &pages),
      ElementsAre("collections/people/identities/1", "collections/people/identities/2",
                  "collections/people/identities/3", "collections/people/identities/4"));
  EXPECT_EQ(pages, 2) << "a full last page has no token";
}

TEST_F(GalleryServiceTest, ListsTemplatesInPages) {
  std::vector<std::string> names;
  for (uint64_t i = 1; i <= 5; ++i) names.push_back(Enroll("7", i));
  v1::ListTemplatesRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  for (const int page_size : {1, 2, 5, 100}) {
    EXPECT_EQ(
        ListAll(request, &GalleryService::ListTemplates,
                static_cast<const google::protobuf::RepeatedPtrField<v1::Template>& (
                    v1::ListTemplatesResponse::*)() const>(&v1::ListTemplatesResponse::templates),
                page_size),
        names)
        << "pages of " << page_size;
  }
}

TEST_F(GalleryServiceTest, RefusesPageSizesAndTokensThatAreNone) {
  v1::ListIdentitiesRequest request;
  v1::ListIdentitiesResponse response;
  request.set_collection_id("people");
  request.set_page_size(-1);
  Status status = galleries_->ListIdentities(call_, request, &response);
  EXPECT_THAT(status, RefusedWith(Reason::kInvalidField));
  EXPECT_EQ(FieldOf(status), "page_size");
  request.set_page_size(1);
  request.set_page_token("guess");
  status = galleries_->ListIdentities(call_, request, &response);
  EXPECT_THAT(status, RefusedWith(Reason::kInvalidField));
  EXPECT_EQ(FieldOf(status), "page_token");
}

TEST_F(GalleryServiceTest, RefusesATokenOfAnotherList) {
  for (uint64_t i = 1; i <= 3; ++i) Enroll(std::to_string(i), i);
  v1::ListIdentitiesRequest request;
  request.set_collection_id("people");
  request.set_page_size(1);
  v1::ListIdentitiesResponse response;
  ASSERT_THAT(galleries_->ListIdentities(call_, request, &response), IsOk());
  CreateCollection("staff", engine_.model(), std::nullopt);
  request.set_collection_id("staff");
  request.set_page_token(response.next_page_token());
  EXPECT_THAT(galleries_->ListIdentities(call_, request, &response),
              RefusedWith(Reason::kInvalidField));
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
