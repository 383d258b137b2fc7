#include "server/rpc/face_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>

#include "tests/server/rpc/service_fixture.h"

namespace facegate {
namespace {

class FaceServiceTest : public ServiceTest {
 protected:
  v1::VerifyRequest VerifyRequest(const std::string& identity, const v1::Probe& probe) {
    v1::VerifyRequest request;
    request.set_collection_id("people");
    request.set_identity_id(identity);
    *request.mutable_probe() = probe;
    return request;
  }
  v1::IdentifyRequest IdentifyRequest(const v1::Probe& probe) {
    v1::IdentifyRequest request;
    request.set_collection_id("people");
    *request.mutable_probe() = probe;
    return request;
  }
  v1::VerifyResponse Verify(const v1::VerifyRequest& request) {
    v1::VerifyResponse response;
    EXPECT_THAT(faces_->Verify(call_, request, &response), IsOk());
    return response;
  }
  v1::IdentifyResponse Identify(const v1::IdentifyRequest& request) {
    v1::IdentifyResponse response;
    EXPECT_THAT(faces_->Identify(call_, request, &response), IsOk());
    return response;
  }
};

TEST_F(FaceServiceTest, EnrollTellsWhatItStored) {
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  *request.add_samples() = Photo(1);
  *request.add_samples() = Crop(2);
  *request.add_samples() = Vector(3);
  v1::EnrollResponse response;
  ASSERT_THAT(faces_->Enroll(call_, request, &response), IsOk());

  EXPECT_TRUE(response.created_identity());
  EXPECT_EQ(response.model_digest(), engine_.model().model_digest);
  EXPECT_EQ(response.identity().name(), "collections/people/identities/7");
  EXPECT_EQ(response.identity().template_count(), 3u);
  ASSERT_EQ(response.samples_size(), 3);
  const v1::Template& from_photo = response.samples(0).template_();
  EXPECT_EQ(from_photo.name(),
            "collections/people/identities/7/templates/" + std::to_string(from_photo.id()));
  EXPECT_EQ(from_photo.detector(), "fake");
  EXPECT_FLOAT_EQ(from_photo.detection_score(), 0.9f);
  EXPECT_EQ(from_photo.preprocessing_digest(), engine_.model().preprocessing_digest);
  EXPECT_EQ(response.samples(0).face().landmarks_size(), 5);
  EXPECT_EQ(response.samples(1).template_().detector(), "none");
  EXPECT_FALSE(response.samples(1).has_face());
  EXPECT_LT(from_photo.id(), response.samples(1).template_().id());
  // Two crops went through the model, together; the embedding did not.
  EXPECT_EQ(embedder_.batch_sizes(), std::vector<size_t>{2});
}

TEST_F(FaceServiceTest, EnrolledTemplatesAreThoseThatTheGalleryLists) {
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  *request.add_samples() = Photo(1);
  v1::EnrollResponse enrolled;
  ASSERT_THAT(faces_->Enroll(call_, request, &enrolled), IsOk());
  v1::ListTemplatesRequest list;
  list.set_collection_id("people");
  list.set_identity_id("7");
  v1::ListTemplatesResponse listed;
  ASSERT_THAT(galleries_->ListTemplates(call_, list, &listed), IsOk());
  ASSERT_EQ(listed.templates_size(), 1);
  EXPECT_EQ(listed.templates(0).SerializeAsString(),
            enrolled.samples(0).template_().SerializeAsString());
}

TEST_F(FaceServiceTest, EnrollStoresAllSamplesOrNone) {
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  *request.add_samples() = Crop(1);
  request.add_samples()->set_aligned_crop("broken");
  v1::EnrollResponse response;
  const Status status = faces_->Enroll(call_, request, &response);
  EXPECT_THAT(status, RefusedWith(Reason::kImageUndecodable));
  EXPECT_EQ(FieldOf(status), "samples[1].aligned_crop");
  EXPECT_THAT(gallery_->GetIdentity("people", "7"), RefusedWith(Reason::kIdentityNotFound));
}

TEST_F(FaceServiceTest, EnrollOfAnIdentityThatMustBeNewFailsWhenItExists) {
  Enroll("7", 1);
  const size_t calls = embedder_.batch_sizes().size();
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  request.set_must_be_new(true);
  *request.add_samples() = Crop(2);
  v1::EnrollResponse response;
  EXPECT_THAT(faces_->Enroll(call_, request, &response), RefusedWith(Reason::kIdentityExists));
  EXPECT_EQ(embedder_.batch_sizes().size(), calls) << "nothing is computed in vain";
}

class EnrollOnceTest : public FaceServiceTest {
 protected:
  EnrollOnceTest() {
    request_.set_collection_id("people");
    request_.set_identity_id("7");
    request_.set_request_id("01234567-89ab-cdef-8081-f2f3f4f5f6f7");
    *request_.add_samples() = Photo(1);
    *request_.add_samples() = Crop(2);
  }
  Status Enroll(const v1::EnrollRequest& request) {
    response_.Clear();
    return faces_->Enroll(call_, request, &response_);
  }

  v1::EnrollRequest request_;
  v1::EnrollResponse response_;
};

TEST_F(EnrollOnceTest, ARetryGivesTheSameBytesAndAddsNothing) {
  ASSERT_THAT(Enroll(request_), IsOk());
  const std::string first = response_.SerializeAsString();
  const auto batches = embedder_.batch_sizes();
  clock_.Advance(std::chrono::seconds(10));
  ASSERT_THAT(Enroll(request_), IsOk());
  EXPECT_EQ(response_.SerializeAsString(), first);
  EXPECT_EQ(embedder_.batch_sizes(), batches) << "nothing is computed again";
  EXPECT_EQ(gallery_->stats().templates, 2u);
}

TEST_F(EnrollOnceTest, ARetryOfAnEnrolmentThatMustBeNewIsNoSecondOne) {
  request_.set_must_be_new(true);
  ASSERT_THAT(Enroll(request_), IsOk());
  const std::string first = response_.SerializeAsString();
  ASSERT_THAT(Enroll(request_), IsOk());
  EXPECT_EQ(response_.SerializeAsString(), first);
  EXPECT_TRUE(response_.created_identity());
  request_.set_request_id("11234567-89ab-cdef-8081-f2f3f4f5f6f7");
  EXPECT_THAT(Enroll(request_), RefusedWith(Reason::kIdentityExists));
}

TEST_F(EnrollOnceTest, TheIdOfAnotherEnrolmentIsRefused) {
  ASSERT_THAT(Enroll(request_), IsOk());
  v1::EnrollRequest other = request_;
  *other.mutable_samples(1) = Crop(3);
  EXPECT_THAT(Enroll(other), RefusedWith(Reason::kRequestIdReused));
  other = request_;
  other.set_must_be_new(true);
  EXPECT_THAT(Enroll(other), RefusedWith(Reason::kRequestIdReused));
  other = request_;
  other.mutable_samples()->SwapElements(0, 1);
  EXPECT_THAT(Enroll(other), RefusedWith(Reason::kRequestIdReused));
  EXPECT_EQ(gallery_->stats().templates, 2u);
}

TEST_F(EnrollOnceTest, AnEnrolmentThatFailedMayBeTriedAgain) {
  embedder_.FailWith(Internal("broken"));
  EXPECT_THAT(Enroll(request_), StatusIs(StatusCode::kInternal));
  embedder_.FailWith(OkStatus());
  detector_.set_faces({});
  EXPECT_THAT(Enroll(request_), RefusedWith(Reason::kNoFace));
  detector_.set_faces({FaceAt(0, 0)});
  EXPECT_THAT(Enroll(request_), IsOk());
  EXPECT_EQ(gallery_->stats().templates, 2u);
}

TEST_F(EnrollOnceTest, ARetryAfterTheDeletionEnrolsNobody) {
  ASSERT_THAT(Enroll(request_), IsOk());
  ASSERT_THAT(gallery_->DeleteIdentity("people", "7"), IsOk());
  EXPECT_THAT(Enroll(request_), RefusedWith(Reason::kIdentityNotFound));
  EXPECT_THAT(gallery_->GetIdentity("people", "7"), RefusedWith(Reason::kIdentityNotFound));
  ASSERT_THAT(gallery_->DeleteCollection("people", true), IsOk());
  EXPECT_THAT(Enroll(request_), RefusedWith(Reason::kCollectionNotFound));
}

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

TEST_F(FaceServiceTest, VerifyMatchesTheSamePatternAndNoOther) {
  const std::string name = Enroll("7", 1);
  const v1::VerifyResponse same = Verify(VerifyRequest("7", Crop(1)));
  EXPECT_EQ(same.decision(), v1::DECISION_MATCH);
  EXPECT_FLOAT_EQ(same.cosine(), 1.0f);
  EXPECT_EQ(same.template_name(), name);
  EXPECT_EQ(same.basis().threshold(), 0.5f);
  EXPECT_EQ(same.basis().source(), v1::OPERATING_POINT_SOURCE_COLLECTION);
  EXPECT_EQ(same.basis().calibration_id(), "");
  EXPECT_EQ(same.basis().model_digest(), engine_.model().model_digest);
  EXPECT_FALSE(same.has_face());

  const v1::VerifyResponse other = Verify(VerifyRequest("7", Crop(2)));
  EXPECT_EQ(other.decision(), v1::DECISION_NO_MATCH);
  EXPECT_LT(other.cosine(), 0.5f);
}

TEST_F(FaceServiceTest, VerifyTakesTheBestTemplate) {
  Enroll("7", 1);
  const std::string second = Enroll("7", 2);
  const v1::VerifyResponse response = Verify(VerifyRequest("7", Crop(2)));
  EXPECT_EQ(response.template_name(), second);
  EXPECT_EQ(response.decision(), v1::DECISION_MATCH);
}

TEST_F(FaceServiceTest, VerifyTakesEachKindOfProbe) {
  const std::string name = Enroll("7", 1);
  EXPECT_TRUE(Verify(VerifyRequest("7", Photo(1))).has_face());
  for (const v1::Probe& probe : {Crop(1), Photo(1), Vector(1), Stored(name)}) {
    const v1::VerifyResponse response = Verify(VerifyRequest("7", probe));
    EXPECT_NEAR(response.cosine(), 1.0f, 1e-4f) << probe.source_case();
    EXPECT_EQ(response.decision(), v1::DECISION_MATCH) << probe.source_case();
  }
}

TEST_F(FaceServiceTest, TheRequestsOperatingPointDecides) {
  Enroll("7", 1);
  v1::VerifyRequest request = VerifyRequest("7", Vector(1));
  request.mutable_operating_point()->set_min_cosine(1.0f);
  const float cosine = Verify(request).cosine();
  ASSERT_LE(cosine, 1.0f);
  request.mutable_operating_point()->set_min_cosine(cosine);
  v1::VerifyResponse response = Verify(request);
  EXPECT_EQ(response.decision(), v1::DECISION_MATCH) << "the threshold itself matches";
  EXPECT_EQ(response.basis().source(), v1::OPERATING_POINT_SOURCE_REQUEST);
  EXPECT_EQ(response.basis().threshold(), cosine);

  request = VerifyRequest("7", Crop(2));
  response = Verify(request);
  request.mutable_operating_point()->set_min_cosine(std::nextafter(response.cosine(), 2.0f));
  EXPECT_EQ(Verify(request).decision(), v1::DECISION_NO_MATCH);
  request.mutable_operating_point()->set_min_cosine(response.cosine());
  EXPECT_EQ(Verify(request).decision(), v1::DECISION_MATCH);
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

TEST_F(FaceServiceTest, IdentifyInAnEmptyCollectionFindsNobody) {
  const v1::IdentifyResponse response = Identify(IdentifyRequest(Crop(1)));
  ASSERT_EQ(response.results_size(), 1);
  EXPECT_EQ(response.results(0).decision(), v1::DECISION_NO_MATCH);
  EXPECT_EQ(response.gallery_identities(), 0u);
}

TEST_F(FaceServiceTest, AnEmbeddingMayBeGivenBack) {
  Enroll("7", 1);
  v1::EmbedRequest request;
  *request.mutable_probe() = Photo(1);
  v1::EmbedResponse embedded;
  ASSERT_THAT(faces_->Embed(call_, request, &embedded), IsOk());
  EXPECT_EQ(embedded.embedding().values_size(), FakeEmbedder::kEmbeddingSize);
  EXPECT_EQ(embedded.embedding().model_digest(), engine_.model().model_digest);
  EXPECT_EQ(embedded.embedding().preprocessing_digest(), engine_.model().preprocessing_digest);
  EXPECT_TRUE(embedded.has_face());
  double squares = 0;
  for (const float value : embedded.embedding().values()) squares += value * value;
  EXPECT_NEAR(squares, 1.0, 1e-6);

  v1::Probe probe;
  *probe.mutable_embedding() = embedded.embedding();
  EXPECT_NEAR(Verify(VerifyRequest("7", probe)).cosine(),
              Verify(VerifyRequest("7", Photo(1))).cosine(), 1e-6);
}

TEST_F(FaceServiceTest, DetectReturnsAllFacesByDefault) {
  detector_.set_faces({FaceAt(0, 0, 0.9f), FaceAt(20, 0, 0.8f)});
  v1::DetectRequest request;
  request.set_image(PatternPng(1));
  v1::DetectResponse response;
  ASSERT_THAT(faces_->Detect(call_, request, &response), IsOk());
  ASSERT_EQ(response.faces_size(), 2);
  EXPECT_FLOAT_EQ(response.faces(0).score(), 0.9f);
  EXPECT_EQ(response.faces(1).box().x(), 20);
  EXPECT_EQ(response.faces(0).landmarks_size(), 5);
  EXPECT_EQ(response.image_width(), 112u);
  EXPECT_EQ(response.image_height(), 112u);
  EXPECT_EQ(response.detector(), "fake");
}

TEST_F(FaceServiceTest, DetectSelectsByABox) {
  detector_.set_faces({FaceAt(0, 0), FaceAt(200, 0)});
  v1::DetectRequest request;
  request.set_image(PatternPng(1));
  request.set_face_selection(v1::FACE_SELECTION_BOX);
  request.mutable_box()->set_x(210);
  request.mutable_box()->set_width(100);
  request.mutable_box()->set_height(100);
  v1::DetectResponse response;
  ASSERT_THAT(faces_->Detect(call_, request, &response), IsOk());
  ASSERT_EQ(response.faces_size(), 1);
  EXPECT_EQ(response.faces(0).box().x(), 200);
}

TEST_F(FaceServiceTest, DetectOfNoFaceIsAnAnswer) {
  detector_.set_faces({});
  v1::DetectRequest request;
  request.set_image(PatternPng(1));
  v1::DetectResponse response;
  ASSERT_THAT(faces_->Detect(call_, request, &response), IsOk());
  EXPECT_EQ(response.faces_size(), 0);
  EXPECT_EQ(response.image_width(), 112u);
}

TEST_F(FaceServiceTest, CompareGivesCosineAndDistance) {
  v1::CompareRequest request;
  *request.mutable_first() = Photo(1);
  *request.mutable_second() = CropOf(BlendedPattern(1, 2, 0.6));
  request.mutable_operating_point()->set_min_cosine(0.4f);
  v1::CompareResponse response;
  ASSERT_THAT(faces_->Compare(call_, request, &response), IsOk());
  EXPECT_GT(response.cosine(), 0.4f);
  EXPECT_LT(response.cosine(), 0.99f);
  EXPECT_NEAR(response.distance(), std::sqrt(2 - 2 * response.cosine()), 1e-6);
  EXPECT_EQ(response.decision(), v1::DECISION_MATCH);
  EXPECT_TRUE(response.has_first_face());
  EXPECT_FALSE(response.has_second_face());
  EXPECT_EQ(embedder_.batch_sizes(), std::vector<size_t>{2}) << "both faces in one batch";
}

TEST_F(FaceServiceTest, CompareUsesTheModelCardsDefault) {
  embedder_.mutable_card().default_min_cosine = 0.25f;
  v1::CompareRequest request;
  *request.mutable_first() = Crop(1);
  *request.mutable_second() = Crop(1);
  v1::CompareResponse response;
  ASSERT_THAT(faces_->Compare(call_, request, &response), IsOk());
  EXPECT_EQ(response.basis().threshold(), 0.25f);
  EXPECT_EQ(response.basis().source(), v1::OPERATING_POINT_SOURCE_MODEL_CARD);
}

}  // namespace
}  // namespace facegate
