#include "server/rpc/face_service.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <string>
#include <vector>

#include "tests/server/rpc/face_service_fixture.h"

namespace facegate {
namespace {

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
