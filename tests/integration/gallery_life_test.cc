#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <semaphore>
#include <string>
#include <thread>
#include <vector>

#include "tests/integration/running_server_test.h"
#include "tests/support/synthetic_crop.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kCollection[] = "staff";

class GalleryLifeTest : public RunningServerTest {
 protected:
  std::string Crop(uint32_t seed) const { return Encode(SyntheticCrop(seed), ".png"); }

  void Enroll(const std::string& identity, const std::vector<uint32_t>& seeds) {
    std::vector<std::string> crops;
    for (const uint32_t seed : seeds) crops.push_back(Crop(seed));
    const auto answer = client_->Enroll(EnrollCrops(kCollection, identity, crops));
    ASSERT_TRUE(answer.ok()) << answer.error();
    EXPECT_TRUE(answer->created_identity());
    EXPECT_EQ(static_cast<size_t>(answer->samples_size()), seeds.size());
  }

  // The nearest identity's id; its cosine must be that of the same crop.
  std::string IdentifyCrop(uint32_t seed) {
    const auto answer = client_->Identify(IdentifyNearest(kCollection, CropProbe(Crop(seed))));
    if (!answer.ok()) return Describe(answer.error());
    if (answer->results_size() != 1 || answer->results(0).candidates().empty()) return "nobody";
    const auto& best = answer->results(0).candidates(0);
    EXPECT_EQ(best.decision(), v1::DECISION_MATCH);
    return best.cosine() > 0.9999F ? best.identity_id() : "not the same crop";
  }

  std::vector<std::string> ListedIdentities() {
    v1::ListIdentitiesRequest request;
    request.set_collection_id(kCollection);
    request.set_page_size(2);
    std::vector<std::string> ids;
    do {
      const auto page = client_->ListIdentities(request);
      EXPECT_TRUE(page.ok()) << page.error();
      if (!page.ok()) return ids;
      for (const v1::Identity& identity : page->identities()) ids.push_back(identity.id());
      request.set_page_token(page->next_page_token());
    } while (!request.page_token().empty());
    return ids;
  }
};

TEST_F(GalleryLifeTest, EnrolsIdentifiesDeletesAndRemembersAfterARestart) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(CreateCollection(kCollection));
  ASSERT_NO_FATAL_FAILURE(Enroll("anna", {1, 2}));
  ASSERT_NO_FATAL_FAILURE(Enroll("berta", {3}));
  ASSERT_NO_FATAL_FAILURE(Enroll("carla", {4}));
  EXPECT_EQ(IdentifyCrop(1), "anna");
  EXPECT_EQ(IdentifyCrop(2), "anna");
  EXPECT_EQ(IdentifyCrop(4), "carla");
  EXPECT_THAT(ListedIdentities(), ElementsAre("anna", "berta", "carla"));

  v1::DeleteIdentityRequest erase;
  erase.set_collection_id(kCollection);
  erase.set_identity_id("berta");
  const auto erased = client_->DeleteIdentity(erase);
  ASSERT_TRUE(erased.ok()) << erased.error();
  EXPECT_EQ(erased->deleted_templates(), 1U);
  EXPECT_EQ(IdentifyCrop(3), "not the same crop");

  ASSERT_THAT(server_->Stop(), IsOk());
  ASSERT_NO_FATAL_FAILURE(StartServer());
  EXPECT_EQ(IdentifyCrop(1), "anna");
  EXPECT_EQ(IdentifyCrop(4), "carla");
  EXPECT_EQ(IdentifyCrop(3), "not the same crop");
  EXPECT_THAT(ListedIdentities(), ElementsAre("anna", "carla"));
}

TEST_F(GalleryLifeTest, VerifiesTheClaimedIdentityAndNoOther) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(CreateCollection(kCollection));
  ASSERT_NO_FATAL_FAILURE(Enroll("anna", {1}));
  ASSERT_NO_FATAL_FAILURE(Enroll("berta", {2}));
  v1::VerifyRequest request;
  request.set_collection_id(kCollection);
  request.set_identity_id("anna");
  *request.mutable_probe() = CropProbe(Crop(1));
  request.mutable_operating_point()->set_min_cosine(0.9999F);
  const auto same = client_->Verify(request);
  ASSERT_TRUE(same.ok()) << same.error();
  EXPECT_EQ(same->decision(), v1::DECISION_MATCH);
  EXPECT_EQ(same->basis().source(), v1::OPERATING_POINT_SOURCE_REQUEST);
  request.set_identity_id("berta");
  const auto other = client_->Verify(request);
  ASSERT_TRUE(other.ok()) << other.error();
  EXPECT_EQ(other->decision(), v1::DECISION_NO_MATCH);
  request.set_identity_id("nobody");
  const auto absent = client_->Verify(request);
  ASSERT_FALSE(absent.ok());
  EXPECT_EQ(absent.error().reason, "IDENTITY_NOT_FOUND");
  EXPECT_EQ(absent.error().code, grpc::StatusCode::NOT_FOUND);
}

TEST_F(GalleryLifeTest, ReturnsAnEmbeddingThatIsAProbeAgain) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  v1::EmbedRequest embed;
  *embed.mutable_probe() = CropProbe(Crop(1));
  const auto embedded = client_->Embed(embed);
  ASSERT_TRUE(embedded.ok()) << embedded.error();
  v1::CompareRequest compare;
  *compare.mutable_first()->mutable_embedding() = embedded->embedding();
  *compare.mutable_second() = CropProbe(Crop(1));
  compare.mutable_operating_point()->set_min_cosine(0.5F);
  const auto compared = client_->Compare(compare);
  ASSERT_TRUE(compared.ok()) << compared.error();
  EXPECT_GT(compared->cosine(), 0.99999F);
  EXPECT_EQ(compared->decision(), v1::DECISION_MATCH);
}

TEST_F(GalleryLifeTest, RefusesWithReasonsThatAClientCanRead) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(CreateCollection(kCollection));
  const auto reason_of = [&](const v1::EnrollRequest& request) {
    const auto answer = client_->Enroll(request);
    return answer.ok() ? "OK" : answer.error().reason;
  };
  EXPECT_EQ(reason_of(EnrollCrops("absent", "anna", {Crop(1)})), "COLLECTION_NOT_FOUND");
  EXPECT_EQ(reason_of(EnrollCrops(kCollection, "no/id", {Crop(1)})), "INVALID_FIELD");
  EXPECT_EQ(reason_of(EnrollCrops(kCollection, "anna", {"no picture"})), "IMAGE_UNDECODABLE");
  EXPECT_EQ(reason_of(EnrollCrops(kCollection, "anna", {Crop(1), "no picture"})),
            "IMAGE_UNDECODABLE");
  const cv::Mat large(200, 200, CV_8UC3, cv::Scalar(1, 2, 3));
  EXPECT_EQ(reason_of(EnrollCrops(kCollection, "anna", {Encode(large, ".png")})), "CROP_SIZE");
  v1::IdentifyRequest undecided = IdentifyNearest(kCollection, CropProbe(Crop(1)));
  undecided.clear_operating_point();
  const auto answer = client_->Identify(undecided);
  ASSERT_FALSE(answer.ok());
  EXPECT_EQ(answer.error().reason, "NO_OPERATING_POINT");
  EXPECT_THAT(ListedIdentities(), ElementsAre());  // all or none: nothing stayed behind
}

TEST_F(GalleryLifeTest, FinishesCallsInFlightOnSigterm) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(CreateCollection(kCollection));
  constexpr int kCalls = 8;
  const std::vector<std::string> crops(16, Crop(1));
  std::vector<std::string> outcome(kCalls);
  std::counting_semaphore<kCalls> answered(0);
  {
    std::vector<std::jthread> threads;
    for (int i = 0; i < kCalls; ++i) {
      threads.emplace_back([&, i] {
        const auto answer =
            client_->Enroll(EnrollCrops(kCollection, "p" + std::to_string(i), crops));
        outcome[static_cast<size_t>(i)] = answer.ok() ? "OK" : answer.error().reason;
        answered.release();
      });
    }
    // One network works on their crops in turn: when the first has its answer, others wait for
    // theirs.
    answered.acquire();
    EXPECT_THAT(server_->Stop(), IsOk());
  }
  // Calls that had arrived were finished, and those after the signal were refused in words or not
  // accepted; there is nothing else.
  std::vector<std::string> acknowledged;
  for (int i = 0; i < kCalls; ++i) {
    const std::string& one = outcome[static_cast<size_t>(i)];
    EXPECT_THAT(one, ::testing::AnyOf("OK", "SHUTTING_DOWN", ""));
    if (one == "OK") acknowledged.push_back("p" + std::to_string(i));
  }
  EXPECT_FALSE(acknowledged.empty());
  ASSERT_NO_FATAL_FAILURE(StartServer());
  EXPECT_EQ(ListedIdentities(), acknowledged);
}

TEST_F(GalleryLifeTest, LogsNoIdentityAndSaysWhatIsNotProtected) {
  ASSERT_NO_FATAL_FAILURE(StartServer());
  ASSERT_NO_FATAL_FAILURE(CreateCollection(kCollection));
  ASSERT_NO_FATAL_FAILURE(Enroll("zq-anna-identity", {1}));
  EXPECT_EQ(IdentifyCrop(1), "zq-anna-identity");
  EXPECT_FALSE(client_->Enroll(EnrollCrops(kCollection, "zq-bad id", {Crop(1)})).ok());
  v1::GetIdentityRequest get;
  get.set_collection_id(kCollection);
  get.set_identity_id("zq-absent-identity");
  EXPECT_FALSE(client_->GetIdentity(get).ok());
  v1::DeleteIdentityRequest erase;
  erase.set_collection_id(kCollection);
  erase.set_identity_id("zq-anna-identity");
  EXPECT_TRUE(client_->DeleteIdentity(erase).ok());
  ASSERT_THAT(server_->Stop(), IsOk());
  const std::string log = server_->Log();
  EXPECT_THAT(log, Not(HasSubstr("zq-")));
  EXPECT_THAT(log, HasSubstr("not encrypted"));  // both notes are there, so the log was read
}

}  // namespace
}  // namespace facegate
