#include "server/rpc/gallery_service.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <chrono>
#include <limits>
#include <map>
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

// A client takes messages of up to 4 MiB unless it is told otherwise.
TEST_F(GalleryServiceTest, APageOfLargeIdentitiesEndsAtAMebibyte) {
  constexpr int kIdentities = 90;
  for (int i = 0; i < kIdentities; ++i) {
    const std::string id = fmt::format("large-{:03}", i);
    Enroll(id, 1);
    v1::UpdateIdentityRequest update;
    update.set_collection_id("people");
    update.set_identity_id(id);
    update.mutable_update_mask()->add_paths("labels");
    for (int label = 0; label < 64; ++label) {
      (*update.mutable_identity()->mutable_labels())[fmt::format("{:a>60}{:02}", "", label)] =
          std::string(256, 'v');
    }
    v1::UpdateIdentityResponse updated;
    ASSERT_THAT(galleries_->UpdateIdentity(call_, update, &updated), IsOk());
  }
  v1::ListIdentitiesRequest request;
  request.set_collection_id("people");
  request.set_page_size(1000);
  std::vector<std::string> ids;
  do {
    v1::ListIdentitiesResponse page;
    ASSERT_THAT(galleries_->ListIdentities(call_, request, &page), IsOk());
    EXPECT_LT(page.ByteSizeLong(), 1'100'000u);
    for (const v1::Identity& identity : page.identities()) ids.push_back(identity.id());
    request.set_page_token(page.next_page_token());
  } while (!request.page_token().empty());
  ASSERT_EQ(ids.size(), kIdentities);
  EXPECT_TRUE(std::is_sorted(ids.begin(), ids.end()));
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

class IdentityChangesServiceTest : public GalleryServiceTest {
 protected:
  v1::Identity Get(const std::string& identity) {
    v1::GetIdentityRequest request;
    request.set_collection_id("people");
    request.set_identity_id(identity);
    v1::GetIdentityResponse response;
    EXPECT_THAT(galleries_->GetIdentity(call_, request, &response), IsOk());
    return response.identity();
  }
  using Given = std::map<std::string, std::string>;
  StatusOr<v1::Identity> Update(const std::vector<std::string>& paths, const Given& labels,
                                const std::string& etag = "") {
    v1::UpdateIdentityRequest request;
    request.set_collection_id("people");
    request.set_identity_id("7");
    for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
    request.mutable_identity()->mutable_labels()->insert(labels.begin(), labels.end());
    request.mutable_identity()->set_etag(etag);
    v1::UpdateIdentityResponse response;
    FACEGATE_RETURN_IF_ERROR(galleries_->UpdateIdentity(call_, request, &response));
    return response.identity();
  }
  static Given LabelsOf(const v1::Identity& identity) {
    return {identity.labels().begin(), identity.labels().end()};
  }
};

TEST_F(IdentityChangesServiceTest, TheMaskSaysWhichLabelsChange) {
  Enroll("7", 1);
  FACEGATE_ASSERT_OK_AND_ASSIGN(v1::Identity identity,
                                Update({"labels"}, {{"a", "1"}, {"b", "2"}, {"c.d", "3"}}));
  EXPECT_EQ(LabelsOf(identity), (Given{{"a", "1"}, {"b", "2"}, {"c.d", "3"}}));
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      identity, Update({"labels.a", "labels.b"}, {{"a", "one"}, {"x", "not named"}}));
  EXPECT_EQ(LabelsOf(identity), (Given{{"a", "one"}, {"c.d", "3"}}))
      << "one is set, one removed, and what the mask does not name is not read";
  FACEGATE_ASSERT_OK_AND_ASSIGN(identity, Update({"labels.c.d", "labels.never-there"}, {}));
  EXPECT_EQ(LabelsOf(identity), (Given{{"a", "one"}})) << "a key may hold dots";
  FACEGATE_ASSERT_OK_AND_ASSIGN(identity, Update({"labels.e"}, {{"e", ""}}));
  EXPECT_EQ(LabelsOf(identity), (Given{{"a", "one"}, {"e", ""}})) << "an empty value is one";
  FACEGATE_ASSERT_OK_AND_ASSIGN(identity, Update({"labels.a", "labels"}, {{"z", "9"}}));
  EXPECT_EQ(LabelsOf(identity), (Given{{"z", "9"}})) << "labels says it all";
  FACEGATE_ASSERT_OK_AND_ASSIGN(identity, Update({"labels", "labels.z"}, {{"z", "9"}, {"y", "8"}}));
  EXPECT_EQ(LabelsOf(identity), (Given{{"y", "8"}, {"z", "9"}}));
  EXPECT_EQ(Get("7").SerializeAsString().size(), identity.SerializeAsString().size());
  EXPECT_EQ(LabelsOf(Get("7")), LabelsOf(identity));
  FACEGATE_ASSERT_OK_AND_ASSIGN(identity, Update({"labels"}, {}));
  EXPECT_TRUE(LabelsOf(identity).empty());
}

TEST_F(IdentityChangesServiceTest, AnUpdateChangesNothingElse) {
  Enroll("7", 1);
  const v1::Identity before = Get("7");
  clock_.Advance(std::chrono::seconds(3));
  v1::UpdateIdentityRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  request.mutable_update_mask()->add_paths("labels");
  request.mutable_identity()->set_id("8");
  request.mutable_identity()->set_name("collections/x/identities/y");
  request.mutable_identity()->set_template_count(99);
  request.mutable_identity()->mutable_create_time()->set_seconds(1);
  v1::UpdateIdentityResponse response;
  ASSERT_THAT(galleries_->UpdateIdentity(call_, request, &response), IsOk());
  const v1::Identity& after = response.identity();
  EXPECT_EQ(after.id(), "7");
  EXPECT_EQ(after.name(), before.name());
  EXPECT_EQ(after.template_count(), 1u);
  EXPECT_EQ(after.create_time().seconds(), before.create_time().seconds());
  EXPECT_EQ(after.update_time().seconds(), before.update_time().seconds() + 3);
  EXPECT_NE(after.etag(), before.etag());
}

TEST_F(IdentityChangesServiceTest, AnEtagGuardsAgainstChangesInBetween) {
  Enroll("7", 1);
  const std::string old = Get("7").etag();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const v1::Identity changed, Update({"labels"}, {{"a", "1"}}, old));
  EXPECT_THAT(Update({"labels"}, {{"a", "2"}}, old), RefusedWith(Reason::kEtagMismatch));
  EXPECT_EQ(LabelsOf(Get("7")), (Given{{"a", "1"}}));
  EXPECT_THAT(Update({"labels"}, {{"a", "2"}}, changed.etag()), IsOk());
}

TEST_F(IdentityChangesServiceTest, ListsIdentitiesWithLabelsAndEtags) {
  Enroll("7", 1);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const v1::Identity identity, Update({"labels"}, {{"a", "1"}}));
  v1::ListIdentitiesRequest request;
  request.set_collection_id("people");
  v1::ListIdentitiesResponse response;
  ASSERT_THAT(galleries_->ListIdentities(call_, request, &response), IsOk());
  ASSERT_EQ(response.identities_size(), 1);
  EXPECT_EQ(response.identities(0).SerializeAsString(), identity.SerializeAsString());
}

TEST_F(IdentityChangesServiceTest, RenamesAnIdentity) {
  Enroll("7", 1);
  const v1::Identity before = Get("7");
  v1::RenameIdentityRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  request.set_new_identity_id("8");
  request.set_etag(before.etag());
  v1::RenameIdentityResponse response;
  ASSERT_THAT(galleries_->RenameIdentity(call_, request, &response), IsOk());
  EXPECT_EQ(response.identity().name(), "collections/people/identities/8");
  EXPECT_EQ(response.identity().id(), "8");
  EXPECT_EQ(response.identity().create_time().seconds(), before.create_time().seconds());
  EXPECT_EQ(response.identity().SerializeAsString(), Get("8").SerializeAsString());
  v1::VerifyRequest verify;
  verify.set_collection_id("people");
  verify.set_identity_id("8");
  *verify.mutable_probe() = Crop(1);
  v1::VerifyResponse verified;
  ASSERT_THAT(faces_->Verify(call_, verify, &verified), IsOk());
  EXPECT_EQ(verified.decision(), v1::DECISION_MATCH);
  EXPECT_EQ(verified.template_name().rfind("collections/people/identities/8/templates/", 0), 0u);
}

TEST_F(IdentityChangesServiceTest, MergesTwoIdentities) {
  Enroll("7", 1);
  Enroll("7", 2);
  Enroll("8", 3);
  ASSERT_THAT(Update({"labels"}, {{"a", "1"}}), IsOk());
  v1::MergeIdentitiesRequest request;
  request.set_collection_id("people");
  request.set_source_identity_id("7");
  request.set_target_identity_id("8");
  request.set_source_etag(Get("7").etag());
  request.set_target_etag(Get("8").etag());
  v1::MergeIdentitiesResponse response;
  ASSERT_THAT(galleries_->MergeIdentities(call_, request, &response), IsOk());
  EXPECT_EQ(response.moved_templates(), 2u);
  EXPECT_EQ(response.identity().id(), "8");
  EXPECT_EQ(response.identity().template_count(), 3u);
  EXPECT_EQ(LabelsOf(response.identity()), (Given{{"a", "1"}}));
  EXPECT_EQ(response.identity().SerializeAsString(), Get("8").SerializeAsString());
  v1::IdentifyRequest identify;
  identify.set_collection_id("people");
  *identify.mutable_probe() = Crop(1);
  v1::IdentifyResponse identified;
  ASSERT_THAT(faces_->Identify(call_, identify, &identified), IsOk());
  ASSERT_EQ(identified.results(0).candidates_size(), 1);
  EXPECT_EQ(identified.results(0).candidates(0).identity_id(), "8");
  EXPECT_EQ(identified.gallery_identities(), 1u);
}

TEST_F(IdentityChangesServiceTest, DeletesAnIdentityWithItsEtagAlone) {
  Enroll("7", 1);
  v1::DeleteIdentityRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  request.set_etag("0");
  v1::DeleteIdentityResponse response;
  EXPECT_THAT(galleries_->DeleteIdentity(call_, request, &response),
              RefusedWith(Reason::kEtagMismatch));
  request.set_etag(Get("7").etag());
  EXPECT_THAT(galleries_->DeleteIdentity(call_, request, &response), IsOk());
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
