// Writes with a request_id, through the services: each kind of request made once, and answered
// alike each time, also by a server that was started again.

#include "server/rpc/request_once.h"

#include <gmock/gmock.h>
#include <google/protobuf/util/message_differencer.h>
#include <gtest/gtest.h>

#include <atomic>
#include <chrono>
#include <functional>
#include <latch>
#include <string>
#include <thread>
#include <vector>

#include "tests/server/rpc/service_fixture.h"

namespace facegate {
namespace {

using google::protobuf::util::MessageDifferencer;

constexpr char kId[] = "01234567-89ab-cdef-8081-f2f3f4f5f6f7";
constexpr char kOtherId[] = "11234567-89ab-cdef-8081-f2f3f4f5f6f7";

class RequestOnceTest : public ServiceTest {
 protected:
  void Restart() {
    faces_.reset();
    galleries_.reset();
    gallery_.reset();
    auto gallery = OpenLocalGallery({.directory = dir_.File("store")}, clock_);
    FACEGATE_CHECK(gallery.ok());
    gallery_ = std::move(gallery).value();
    calibrations_ = std::make_unique<SiteCalibrations>(*gallery_, clock_);
    faces_ = std::make_unique<FaceService>(engine_, *gallery_, *gallery_, limits_, QualityPolicy{},
                                           *calibrations_);
    galleries_ = std::make_unique<GalleryService>(
        *gallery_, *gallery_, engine_.model(), FakeEmbedder::kEmbeddingSize,
        CalibrationParts{.card = engine_.card(), .quality = {}, .calibrations = *calibrations_},
        clock_);
  }

  template <typename Request, typename Response>
  using GalleryMethod = Status (GalleryService::*)(const CallContext&, const Request&, Response*);

  // Made once: the first call, a retry, and a retry after a restart give one answer, and the
  // retries change nothing. Another request of the same id is refused.
  template <typename Request, typename Response>
  void ExpectOnce(const std::string& request_id, Request request,
                  GalleryMethod<Request, Response> method) {
    request.set_request_id(request_id);
    Response first;
    ASSERT_THAT((galleries_.get()->*method)(call_, request, &first), IsOk());
    const GalleryStats stats = gallery_->Stats().value();
    const v1::ListIdentitiesResponse list = List();
    clock_.Advance(std::chrono::seconds(5));
    for (int round = 0; round < 2; ++round) {
      Response again;
      EXPECT_THAT((galleries_.get()->*method)(call_, request, &again), IsOk());
      EXPECT_TRUE(MessageDifferencer::Equals(again, first));
      EXPECT_EQ(gallery_->Stats()->identities, stats.identities);
      EXPECT_EQ(gallery_->Stats()->templates, stats.templates);
      EXPECT_EQ(gallery_->Stats()->collections, stats.collections);
      EXPECT_TRUE(MessageDifferencer::Equals(List(), list)) << "not even an etag has changed";
      Restart();
    }
    v1::CreateCollectionRequest other;
    other.set_collection_id("not-made");
    other.set_request_id(request_id);
    v1::CreateCollectionResponse not_made;
    EXPECT_THAT(galleries_->CreateCollection(call_, other, &not_made),
                RefusedWith(Reason::kRequestIdReused));
    EXPECT_THAT(gallery_->GetCollection("not-made"), RefusedWith(Reason::kCollectionNotFound));
  }
  v1::ListIdentitiesResponse List() {
    v1::ListIdentitiesRequest request;
    request.set_collection_id("people");
    v1::ListIdentitiesResponse response;
    EXPECT_THAT(galleries_->ListIdentities(call_, request, &response), IsOk());
    return response;
  }
  template <typename Request>
  static Request Of(const std::string& identity) {
    Request request;
    request.set_collection_id("people");
    request.set_identity_id(identity);
    return request;
  }
  static v1::UpdateIdentityRequest LabelRequest() {
    auto request = Of<v1::UpdateIdentityRequest>("7");
    request.mutable_update_mask()->add_paths("labels");
    for (const char* key : {"a", "b", "c", "d", "e"}) {
      (*request.mutable_identity()->mutable_labels())[key] = key;
    }
    return request;
  }
};

TEST_F(RequestOnceTest, CreatesACollectionOnce) {
  v1::CreateCollectionRequest request;
  request.set_collection_id("staff");
  request.set_min_cosine(0.25f);
  ExpectOnce(kId, request, &GalleryService::CreateCollection);
}

TEST_F(RequestOnceTest, UpdatesACollectionOnce) {
  v1::UpdateCollectionRequest request;
  request.set_collection_id("people");
  request.mutable_update_mask()->add_paths("min_cosine");
  request.mutable_collection()->set_min_cosine(0.75f);
  // The etag guards the change, not the retry.
  request.mutable_collection()->set_etag(gallery_->GetCollection("people")->etag);
  ExpectOnce(kId, request, &GalleryService::UpdateCollection);
}

TEST_F(RequestOnceTest, DeletesACollectionOnce) {
  CreateCollection("staff", engine_.model(), std::nullopt);
  v1::DeleteCollectionRequest request;
  request.set_collection_id("staff");
  ExpectOnce(kId, request, &GalleryService::DeleteCollection);
  // A new one of that id is not deleted by a late retry.
  CreateCollection("staff", engine_.model(), std::nullopt);
  request.set_request_id(kId);
  v1::DeleteCollectionResponse response;
  EXPECT_THAT(galleries_->DeleteCollection(call_, request, &response), IsOk());
  EXPECT_THAT(gallery_->GetCollection("staff"), IsOk());
}

TEST_F(RequestOnceTest, UpdatesAnIdentityOnce) {
  Enroll("7", 1);
  auto request = LabelRequest();
  // The etag guards the change, not the retry, which finds it changed by the request itself.
  request.mutable_identity()->set_etag(gallery_->GetIdentity("people", "7")->etag);
  ExpectOnce(kId, request, &GalleryService::UpdateIdentity);
}

TEST_F(RequestOnceTest, RenamesAnIdentityOnce) {
  Enroll("7", 1);
  auto request = Of<v1::RenameIdentityRequest>("7");
  request.set_new_identity_id("8");
  ExpectOnce(kId, request, &GalleryService::RenameIdentity);
}

TEST_F(RequestOnceTest, MergesIdentitiesOnce) {
  Enroll("7", 1);
  Enroll("8", 2);
  v1::MergeIdentitiesRequest request;
  request.set_collection_id("people");
  request.set_source_identity_id("7");
  request.set_target_identity_id("8");
  ExpectOnce(kId, request, &GalleryService::MergeIdentities);
}

TEST_F(RequestOnceTest, DeletesAnIdentityOnce) {
  Enroll("7", 1);
  Enroll("7", 2);
  ExpectOnce(kId, Of<v1::DeleteIdentityRequest>("7"), &GalleryService::DeleteIdentity);
  // One enrolled anew is not deleted by a late retry.
  Enroll("7", 1);
  auto request = Of<v1::DeleteIdentityRequest>("7");
  request.set_request_id(kId);
  v1::DeleteIdentityResponse response;
  ASSERT_THAT(galleries_->DeleteIdentity(call_, request, &response), IsOk());
  EXPECT_EQ(response.deleted_templates(), 2u);
  EXPECT_THAT(gallery_->GetIdentity("people", "7"), IsOk());
}

TEST_F(RequestOnceTest, DeletesATemplateOnce) {
  Enroll("7", 1);
  const std::string name = Enroll("7", 2);
  auto request = Of<v1::DeleteTemplateRequest>("7");
  request.set_template_id(std::stoull(name.substr(name.rfind('/') + 1)));
  ExpectOnce(kId, request, &GalleryService::DeleteTemplate);
}

TEST_F(RequestOnceTest, AnswersALateRetryThatItsIdentityIsGone) {
  Enroll("7", 1);
  auto request = LabelRequest();
  request.set_request_id(kId);
  v1::UpdateIdentityResponse response;
  ASSERT_THAT(galleries_->UpdateIdentity(call_, request, &response), IsOk());
  ASSERT_THAT(gallery_->DeleteIdentity("people", "7"), IsOk());
  Enroll("7", 2);
  for (int round = 0; round < 2; ++round) {
    EXPECT_THAT(galleries_->UpdateIdentity(call_, request, &response),
                RefusedWith(Reason::kIdentityNotFound));
    Restart();
  }
  EXPECT_TRUE(gallery_->GetIdentity("people", "7")->labels.empty());
}

TEST_F(RequestOnceTest, WithoutARequestIdEachCallIsOneOfItsOwn) {
  Enroll("7", 1);
  v1::UpdateIdentityResponse first;
  v1::UpdateIdentityResponse second;
  ASSERT_THAT(galleries_->UpdateIdentity(call_, LabelRequest(), &first), IsOk());
  ASSERT_THAT(galleries_->UpdateIdentity(call_, LabelRequest(), &second), IsOk());
  EXPECT_NE(first.identity().etag(), second.identity().etag());
}

TEST_F(RequestOnceTest, ARefusedCallLeavesTheIdFree) {
  auto request = LabelRequest();
  request.set_request_id(kId);
  v1::UpdateIdentityResponse response;
  EXPECT_THAT(galleries_->UpdateIdentity(call_, request, &response),
              RefusedWith(Reason::kIdentityNotFound));
  Enroll("7", 1);
  EXPECT_THAT(galleries_->UpdateIdentity(call_, request, &response), IsOk());
  EXPECT_EQ(response.identity().labels_size(), 5);
}

// Any difference makes another request.
TEST_F(RequestOnceTest, RefusesTheIdWithAnotherBody) {
  Enroll("7", 1);
  Enroll("8", 2);
  auto request = LabelRequest();
  request.set_request_id(kId);
  v1::UpdateIdentityResponse response;
  ASSERT_THAT(galleries_->UpdateIdentity(call_, request, &response), IsOk());
  for (const std::function<void(v1::UpdateIdentityRequest&)>& change :
       std::vector<std::function<void(v1::UpdateIdentityRequest&)>>{
           [](auto& r) { r.set_identity_id("8"); },
           [](auto& r) { (*r.mutable_identity()->mutable_labels())["a"] = "x"; },
           [](auto& r) { r.mutable_identity()->mutable_labels()->erase("a"); },
           [](auto& r) { r.mutable_update_mask()->set_paths(0, "labels.a"); },
           [](auto& r) { r.mutable_identity()->set_etag("x"); }}) {
    auto other = request;
    change(other);
    EXPECT_THAT(galleries_->UpdateIdentity(call_, other, &response),
                RefusedWith(Reason::kRequestIdReused));
  }
  // Two methods whose requests have the same fields.
  auto get_deleted = Of<v1::DeleteIdentityRequest>("9");
  get_deleted.set_request_id(kOtherId);
  Enroll("9", 3);
  v1::DeleteIdentityResponse deleted;
  ASSERT_THAT(galleries_->DeleteIdentity(call_, get_deleted, &deleted), IsOk());
  auto rename = Of<v1::RenameIdentityRequest>("9");
  rename.set_new_identity_id("10");
  rename.set_request_id(kOtherId);
  v1::RenameIdentityResponse renamed;
  EXPECT_THAT(galleries_->RenameIdentity(call_, rename, &renamed),
              RefusedWith(Reason::kRequestIdReused));
}

// The order in which labels were put into a map, or come off the wire, is no difference.
TEST_F(RequestOnceTest, TakesLabelsInAnyOrderAsTheSameRequest) {
  Enroll("7", 1);
  auto request = Of<v1::UpdateIdentityRequest>("7");
  request.set_request_id(kId);
  request.mutable_update_mask()->add_paths("labels");
  auto reversed = request;
  constexpr int kLabels = 60;
  for (int i = 0; i < kLabels; ++i) {
    (*request.mutable_identity()->mutable_labels())["k" + std::to_string(i)] = "v";
    (*reversed.mutable_identity()->mutable_labels())["k" + std::to_string(kLabels - 1 - i)] = "v";
  }
  v1::UpdateIdentityResponse first;
  v1::UpdateIdentityResponse second;
  ASSERT_THAT(galleries_->UpdateIdentity(call_, request, &first), IsOk());
  ASSERT_THAT(galleries_->UpdateIdentity(call_, reversed, &second), IsOk());
  EXPECT_TRUE(MessageDifferencer::Equals(first, second));
}

TEST_F(RequestOnceTest, ForgetsARequestAfterItsTime) {
  Enroll("7", 1);
  auto request = LabelRequest();
  request.set_request_id(kId);
  v1::UpdateIdentityResponse first;
  ASSERT_THAT(galleries_->UpdateIdentity(call_, request, &first), IsOk());
  clock_.Advance(kRequestLifetime + std::chrono::seconds(1));
  // It is forgotten by itself; then it is made again.
  const auto patience = std::chrono::steady_clock::now() + std::chrono::seconds(60);
  v1::UpdateIdentityResponse response = first;
  while (response.identity().etag() == first.identity().etag() &&
         std::chrono::steady_clock::now() < patience) {
    const Status updated = galleries_->UpdateIdentity(call_, request, &response);
    if (ReasonOf(updated) != Reason::kRequestInProgress) {
      ASSERT_THAT(updated, IsOk());
    }
    std::this_thread::yield();
  }
  EXPECT_NE(response.identity().etag(), first.identity().etag());
}

TEST_F(RequestOnceTest, RefusesASecondCallWhileTheFirstIsAtWorkAndSaysWhenToTryAgain) {
  const auto ticket =
      gallery_->BeginRequest(*ParseRequestId(kId), std::string(kFingerprintBytes, 'f'));
  ASSERT_THAT(ticket, IsOk());
  Enroll("7", 1);
  auto request = LabelRequest();
  request.set_request_id(kId);
  v1::UpdateIdentityResponse response;
  const Status refused = galleries_->UpdateIdentity(call_, request, &response);
  EXPECT_THAT(refused, RefusedWith(Reason::kRequestInProgress));
  EXPECT_TRUE(RetryAfterOf(refused).has_value());
}

TEST_F(RequestOnceTest, BeginsNothingWithoutAnIdAndRefusesWhatIsNone) {
  const v1::DeleteCollectionRequest request;
  const auto none = BeginOnce(*gallery_, "", request);
  ASSERT_THAT(none, IsOk());
  EXPECT_FALSE(none->has_value());
  for (const char* bad :
       {"1", "01234567-89ab-cdef-8081-f2f3f4f5f6fg", "00000000-0000-0000-0000-000000000000", " "}) {
    const auto refused = BeginOnce(*gallery_, bad, request);
    EXPECT_THAT(refused, RefusedWith(Reason::kInvalidField));
    EXPECT_EQ(FieldOf(refused.status()), "request_id");
  }
}

// Faces are computed by one of them alone; the others come again.
TEST_F(RequestOnceTest, EnrollsOnceForAllWhoAskAtOnce) {
  constexpr size_t kCallers = 12;
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  request.set_request_id(kId);
  request.set_must_be_new(true);
  *request.add_samples() = Photo(1);
  std::vector<v1::EnrollResponse> responses(kCallers);
  std::latch ready(kCallers);
  std::vector<std::jthread> threads;
  for (size_t i = 0; i < kCallers; ++i) {
    threads.emplace_back([&, i] {
      ready.arrive_and_wait();
      Status enrolled = faces_->Enroll(call_, request, &responses[i]);
      while (ReasonOf(enrolled) == Reason::kRequestInProgress) {
        std::this_thread::yield();
        enrolled = faces_->Enroll(call_, request, &responses[i]);
      }
      EXPECT_THAT(enrolled, IsOk());
    });
  }
  threads.clear();
  for (const auto& response : responses) {
    EXPECT_EQ(response.SerializeAsString(), responses.front().SerializeAsString());
  }
  EXPECT_EQ(gallery_->Stats()->templates, 1u);
  EXPECT_EQ(embedder_.batch_sizes(), std::vector<size_t>{1});
}

}  // namespace
}  // namespace facegate
