#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tests/server/rpc/face_service_fixture.h"

namespace facegate {
namespace {

// Two pictures of one person beside a stranger.
TEST_F(FaceServiceTest, IdentifyGivesAnIdentityToOneFaceOfAPhotoWhenAsked) {
  Enroll("a", 1);
  Enroll("b", 2);
  cv::Mat photo;
  cv::hconcat(std::vector<cv::Mat>{BlendedPattern(1, 50, 0.8), PatternImage(1), PatternImage(2)},
              photo);
  detector_.set_faces({FaceAt(0, 0), FaceAt(112, 0), FaceAt(224, 0)});
  v1::Probe probe;
  probe.set_image(EncodePng(photo));
  probe.set_face_selection(v1::FACE_SELECTION_ALL);
  v1::IdentifyRequest request = IdentifyRequest(probe);
  request.set_max_candidates(1);
  v1::IdentifyResponse response = Identify(request);
  ASSERT_EQ(response.results_size(), 3);
  EXPECT_EQ(response.results(0).decision(), v1::DECISION_MATCH);
  EXPECT_EQ(response.results(0).candidates(0).identity_id(), "a");
  EXPECT_EQ(response.results(1).candidates(0).identity_id(), "a");

  request.set_unique_identities(true);
  response = Identify(request);
  ASSERT_EQ(response.results_size(), 3);
  EXPECT_EQ(response.results(0).decision(), v1::DECISION_NO_MATCH);
  EXPECT_EQ(response.results(0).candidates_size(), 0);
  EXPECT_EQ(response.results(0).face().box().x(), 0);
  EXPECT_EQ(response.results(1).decision(), v1::DECISION_MATCH);
  EXPECT_EQ(response.results(1).candidates(0).identity_id(), "a");
  EXPECT_EQ(response.results(2).candidates(0).identity_id(), "b");
}

// The first face's nearest goes to the second face; its next one is beyond max_candidates.
TEST_F(FaceServiceTest, IdentifyLooksFurtherThanMaxCandidatesForUniqueIdentities) {
  Enroll("a", 1);
  v1::EnrollRequest enroll;
  enroll.set_collection_id("people");
  enroll.set_identity_id("b");
  *enroll.add_samples() = CropOf(BlendedPattern(1, 2, 0.6));
  v1::EnrollResponse enrolled;
  ASSERT_THAT(faces_->Enroll(call_, enroll, &enrolled), IsOk());
  cv::Mat photo;
  cv::hconcat(std::vector<cv::Mat>{BlendedPattern(1, 2, 0.9), PatternImage(1)}, photo);
  detector_.set_faces({FaceAt(0, 0), FaceAt(112, 0)});
  v1::Probe probe;
  probe.set_image(EncodePng(photo));
  probe.set_face_selection(v1::FACE_SELECTION_ALL);
  v1::IdentifyRequest request = IdentifyRequest(probe);
  request.set_max_candidates(1);
  request.set_unique_identities(true);
  const v1::IdentifyResponse response = Identify(request);
  ASSERT_EQ(response.results(0).candidates_size(), 1);
  EXPECT_EQ(response.results(0).candidates(0).identity_id(), "b");
  ASSERT_EQ(response.results(1).candidates_size(), 1);
  EXPECT_EQ(response.results(1).candidates(0).identity_id(), "a");
}

TEST_F(FaceServiceTest, IdentifyFindsTheIdentity) {
  for (uint64_t seed = 1; seed <= 5; ++seed) Enroll(std::to_string(seed), seed);
  const v1::IdentifyResponse response = Identify(IdentifyRequest(Photo(3)));
  ASSERT_EQ(response.results_size(), 1);
  const v1::IdentifyResponse::Result& result = response.results(0);
  EXPECT_EQ(result.decision(), v1::DECISION_MATCH);
  EXPECT_TRUE(result.has_face());
  ASSERT_EQ(result.candidates_size(), 1);
  EXPECT_EQ(result.candidates(0).identity_id(), "3");
  EXPECT_EQ(result.candidates(0).decision(), v1::DECISION_MATCH);
  EXPECT_NEAR(result.candidates(0).cosine(), 1.0f, 1e-4f);
  EXPECT_EQ(result.candidates(0).template_name().rfind("collections/people/identities/3/", 0), 0u);
  EXPECT_EQ(response.gallery_identities(), 5u);
  EXPECT_EQ(response.basis().threshold(), 0.5f);
}

TEST_F(FaceServiceTest, AStrangerGetsNoCandidatesUnlessAskedFor) {
  for (uint64_t seed = 1; seed <= 7; ++seed) Enroll(std::to_string(seed), seed);
  v1::IdentifyRequest request = IdentifyRequest(Crop(99));
  const v1::IdentifyResponse stranger = Identify(request);
  EXPECT_EQ(stranger.results(0).decision(), v1::DECISION_NO_MATCH);
  EXPECT_EQ(stranger.results(0).candidates_size(), 0);

  request.set_include_below_threshold(true);
  const v1::IdentifyResponse nearest = Identify(request);
  EXPECT_EQ(nearest.results(0).decision(), v1::DECISION_NO_MATCH);
  ASSERT_EQ(nearest.results(0).candidates_size(), 5) << "0 means 5";
  for (const auto& candidate : nearest.results(0).candidates()) {
    EXPECT_EQ(candidate.decision(), v1::DECISION_NO_MATCH);
  }
  for (int i = 1; i < 5; ++i) {
    EXPECT_GE(nearest.results(0).candidates(i - 1).cosine(),
              nearest.results(0).candidates(i).cosine());
  }
}

TEST_F(FaceServiceTest, IdentifyMarksEachCandidate) {
  Enroll("near", 1);
  Enroll("far", 2);
  v1::IdentifyRequest request = IdentifyRequest(CropOf(BlendedPattern(1, 2, 0.8)));
  request.set_include_below_threshold(true);
  request.mutable_operating_point()->set_min_cosine(0.7f);
  const v1::IdentifyResponse response = Identify(request);
  const auto& result = response.results(0);
  ASSERT_EQ(result.candidates_size(), 2);
  EXPECT_EQ(result.decision(), v1::DECISION_MATCH);
  EXPECT_EQ(result.candidates(0).identity_id(), "near");
  EXPECT_EQ(result.candidates(0).decision(), v1::DECISION_MATCH);
  EXPECT_EQ(result.candidates(1).decision(), v1::DECISION_NO_MATCH);
}

TEST_F(FaceServiceTest, IdentifyGivesAtMostTheCandidatesAskedFor) {
  for (uint64_t seed = 1; seed <= 4; ++seed) Enroll(std::to_string(seed), seed);
  v1::IdentifyRequest request = IdentifyRequest(Crop(2));
  request.mutable_operating_point()->set_min_cosine(-1.0f);
  request.set_max_candidates(3);
  const v1::IdentifyResponse response = Identify(request);
  ASSERT_EQ(response.results(0).candidates_size(), 3);
  EXPECT_EQ(response.results(0).candidates(0).identity_id(), "2");
}

TEST_F(FaceServiceTest, IdentifyAnswersForEachFaceOfAGroup) {
  Enroll("left", 1);
  cv::Mat photo;
  cv::hconcat(std::vector<cv::Mat>{PatternImage(1), PatternImage(50), PatternImage(51)}, photo);
  DetectedFace bare = FaceAt(224, 0);
  bare.landmarks.clear();
  detector_.set_faces({FaceAt(0, 0), FaceAt(112, 0), bare});
  v1::Probe probe;
  probe.set_image(EncodePng(photo));
  probe.set_face_selection(v1::FACE_SELECTION_ALL);
  const v1::IdentifyResponse response = Identify(IdentifyRequest(probe));
  ASSERT_EQ(response.results_size(), 3);
  EXPECT_EQ(response.results(0).decision(), v1::DECISION_MATCH);
  EXPECT_EQ(response.results(0).candidates(0).identity_id(), "left");
  EXPECT_EQ(response.results(1).decision(), v1::DECISION_NO_MATCH);
  EXPECT_EQ(response.results(1).face().box().x(), 112);
  EXPECT_EQ(response.results(2).decision(), v1::DECISION_INCONCLUSIVE) << "it cannot be aligned";
  EXPECT_EQ(response.results(2).candidates_size(), 0);
}

TEST_F(FaceServiceTest, IdentifyFindsOnlyWhoHasAllLabels) {
  for (const char* name : {"ada", "ben", "cem"}) Enroll(name, 1);
  const auto label = [this](const std::string& identity, const Labels& labels) {
    ASSERT_THAT(gallery_->UpdateLabels("people", identity,
                                       {.replace_all = true, .set = labels, .remove = {}}, ""),
                IsOk());
  };
  label("ben", {{"floor", "2"}, {"team", "red"}});
  label("cem", {{"floor", "2"}, {"team", "blue"}});
  const auto found = [this](const std::map<std::string, std::string>& labels) {
    v1::IdentifyRequest request = IdentifyRequest(Crop(1));
    request.mutable_labels()->insert(labels.begin(), labels.end());
    const v1::IdentifyResponse response = Identify(request);
    std::vector<std::string> names;
    for (const auto& one : response.results(0).candidates()) names.push_back(one.identity_id());
    EXPECT_EQ(response.results(0).decision() == v1::DECISION_MATCH, !names.empty());
    return names;
  };
  EXPECT_THAT(found({}), ::testing::ElementsAre("ada", "ben", "cem"));
  EXPECT_THAT(found({{"floor", "2"}}), ::testing::ElementsAre("ben", "cem"));
  EXPECT_THAT(found({{"floor", "2"}, {"team", "blue"}}), ::testing::ElementsAre("cem"));
  EXPECT_THAT(found({{"floor", "3"}}), ::testing::IsEmpty());
}

TEST_F(FaceServiceTest, IdentifyInAnEmptyCollectionFindsNobody) {
  const v1::IdentifyResponse response = Identify(IdentifyRequest(Crop(1)));
  ASSERT_EQ(response.results_size(), 1);
  EXPECT_EQ(response.results(0).decision(), v1::DECISION_NO_MATCH);
  EXPECT_EQ(response.gallery_identities(), 0u);
}

}  // namespace
}  // namespace facegate
