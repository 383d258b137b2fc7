// Lists of GalleryService, page by page.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tests/server/rpc/service_fixture.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

class ListPagesTest : public ServiceTest {
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
};

TEST_F(ListPagesTest, ListsCollectionsInPages) {
  for (const char* id : {"a", "b", "c", "z"}) {
    CreateCollection(id, engine_.model(), std::nullopt);
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

TEST_F(ListPagesTest, ListsIdentitiesInPages) {
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

TEST_F(ListPagesTest, ListsTemplatesInPages) {
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
TEST_F(ListPagesTest, APageOfLargeIdentitiesEndsAtAMebibyte) {
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

TEST_F(ListPagesTest, RefusesPageSizesAndTokensThatAreNone) {
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

TEST_F(ListPagesTest, RefusesATokenOfAnotherList) {
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

}  // namespace
}  // namespace facegate
