// Qualities, and what is wanted of them, in the messages of the services.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>

#include "tests/server/rpc/service_fixture.h"
#include "tests/support/fake_quality_meter.h"

namespace facegate {
namespace {

// Made before the fixture that is given it.
struct MeterOfTest {
  FakeQualityMeter meter_;
};

class QualityMessagesTest : private MeterOfTest, public ServiceTest {
 protected:
  QualityMessagesTest() : ServiceTest(&meter_) {}

  static v1::Probe DarkPhoto() {
    v1::Probe probe;
    probe.set_image(EncodePng(DarkPattern(1)));
    return probe;
  }
  v1::VerifyResponse Verify(const v1::Probe& probe) {
    v1::VerifyRequest request;
    request.set_collection_id("people");
    request.set_identity_id("7");
    *request.mutable_probe() = probe;
    v1::VerifyResponse response;
    EXPECT_THAT(faces_->Verify(call_, request, &response), IsOk());
    return response;
  }
  v1::UpdateCollectionResponse Update(const std::vector<std::string>& paths,
                                      const v1::Collection& collection) {
    v1::UpdateCollectionRequest request;
    request.set_collection_id("people");
    for (const std::string& path : paths) request.mutable_update_mask()->add_paths(path);
    *request.mutable_collection() = collection;
    v1::UpdateCollectionResponse response;
    EXPECT_THAT(galleries_->UpdateCollection(call_, request, &response), IsOk());
    return response;
  }
};

TEST_F(QualityMessagesTest, AFaceHasItsQualityWithUnitsAndAdvice) {
  Enroll("7", 1);
  const v1::VerifyResponse response = Verify(DarkPhoto());
  EXPECT_EQ(response.decision(), v1::DECISION_INCONCLUSIVE);
  EXPECT_EQ(response.cosine(), 0.0f);
  EXPECT_EQ(response.template_name(), "");
  EXPECT_EQ(response.basis().threshold(), 0.5f);
  const v1::FaceQuality& quality = response.face().quality();
  EXPECT_LT(quality.score(), 0.4f);
  EXPECT_FLOAT_EQ(quality.wanted(), static_cast<float>(kDefaultProbeQuality));
  ASSERT_EQ(quality.components_size(), 1);
  EXPECT_EQ(quality.components(0).name(), "under_exposure");
  EXPECT_EQ(quality.components(0).quality(), quality.score());
  ASSERT_EQ(quality.shortcomings_size(), 1);
  EXPECT_EQ(quality.shortcomings(0).name(), "under_exposure");
  EXPECT_EQ(quality.shortcomings(0).value(), quality.components(0).value());
  EXPECT_LT(quality.shortcomings(0).wanted(), quality.shortcomings(0).value());
  EXPECT_EQ(quality.shortcomings(0).unit(), "share");
  EXPECT_EQ(quality.shortcomings(0).advice(), "more light on the face");
}

TEST_F(QualityMessagesTest, AFaceThatDoesHasNoShortcomings) {
  Enroll("7", 1);
  const v1::VerifyResponse response = Verify(Photo(1));
  EXPECT_EQ(response.decision(), v1::DECISION_MATCH);
  EXPECT_EQ(response.face().quality().score(), 1.0f);
  EXPECT_EQ(response.face().quality().shortcomings_size(), 0);
}

TEST_F(QualityMessagesTest, AnAlignedCropHasAFaceWithTheQualityAlone) {
  Enroll("7", 1);
  const v1::VerifyResponse response = Verify(Crop(1));
  ASSERT_TRUE(response.has_face());
  EXPECT_TRUE(response.face().has_quality());
  EXPECT_FALSE(response.face().has_box());
  EXPECT_FALSE(Verify(Vector(1)).has_face());
}

TEST_F(QualityMessagesTest, AFaceTellsHowFarItIsTurned) {
  Enroll("7", 1);
  DetectedFace turned = FaceAt(0, 0);
  turned.quarter_turns = 3;
  detector_.set_faces({turned});
  EXPECT_EQ(Verify(Photo(1)).face().quarter_turns(), 3);
}

TEST_F(QualityMessagesTest, IdentifyNamesNobodyForAnUnfitFace) {
  Enroll("7", 1);
  v1::IdentifyRequest request;
  request.set_collection_id("people");
  request.set_include_below_threshold(true);
  *request.mutable_probe() = DarkPhoto();
  v1::IdentifyResponse response;
  ASSERT_THAT(faces_->Identify(call_, request, &response), IsOk());
  ASSERT_EQ(response.results_size(), 1);
  EXPECT_EQ(response.results(0).decision(), v1::DECISION_INCONCLUSIVE);
  EXPECT_EQ(response.results(0).candidates_size(), 0);
  EXPECT_EQ(response.results(0).face().quality().shortcomings_size(), 1);
}

TEST_F(QualityMessagesTest, CompareTakesWhatIsWantedFromTheRequest) {
  v1::CompareRequest request;
  *request.mutable_first() = DarkPhoto();
  *request.mutable_second() = Photo(1);
  request.mutable_operating_point()->set_min_cosine(-1.0f);
  v1::CompareResponse response;
  ASSERT_THAT(faces_->Compare(call_, request, &response), IsOk());
  EXPECT_EQ(response.decision(), v1::DECISION_INCONCLUSIVE);
  EXPECT_EQ(response.cosine(), 0.0f);
  EXPECT_EQ(response.distance(), 0.0f);
  EXPECT_EQ(response.first_face().quality().shortcomings_size(), 1);
  request.set_probe_quality(0.0f);
  response.Clear();
  ASSERT_THAT(faces_->Compare(call_, request, &response), IsOk());
  EXPECT_EQ(response.decision(), v1::DECISION_MATCH);
  EXPECT_EQ(response.first_face().quality().wanted(), 0.0f);
}

TEST_F(QualityMessagesTest, AnEnrolledTemplateTellsItsSourceAndQuality) {
  v1::EnrollRequest request;
  request.set_collection_id("people");
  request.set_identity_id("7");
  *request.add_samples() = Photo(1);
  *request.add_samples() = Crop(2);
  *request.add_samples() = Vector(3);
  v1::EnrollResponse response;
  ASSERT_THAT(faces_->Enroll(call_, request, &response), IsOk());
  const v1::Template& photo = response.samples(0).template_();
  EXPECT_EQ(photo.source(), v1::TEMPLATE_SOURCE_IMAGE);
  EXPECT_EQ(photo.quality(), 1.0f);
  EXPECT_FLOAT_EQ(response.samples(0).face().quality().wanted(),
                  static_cast<float>(kDefaultEnrolQuality));
  EXPECT_EQ(response.samples(1).template_().source(), v1::TEMPLATE_SOURCE_ALIGNED_CROP);
  EXPECT_TRUE(response.samples(1).face().has_quality());
  const v1::Template& word = response.samples(2).template_();
  EXPECT_EQ(word.source(), v1::TEMPLATE_SOURCE_EMBEDDING);
  EXPECT_FALSE(word.has_quality());
}

TEST_F(QualityMessagesTest, ACollectionIsCreatedWithItsPolicies) {
  v1::CreateCollectionRequest request;
  request.set_collection_id("door");
  request.set_enrol_quality(0.75f);
  request.set_probe_quality(0.0f);
  v1::CreateCollectionResponse response;
  ASSERT_THAT(galleries_->CreateCollection(call_, request, &response), IsOk());
  EXPECT_EQ(response.collection().enrol_quality(), 0.75f);
  EXPECT_TRUE(response.collection().has_probe_quality());
  EXPECT_EQ(response.collection().probe_quality(), 0.0f);
}

TEST_F(QualityMessagesTest, AnUpdateChangesThePoliciesThatItNamesAndNoOther) {
  v1::Collection wanted;
  wanted.set_enrol_quality(0.75f);
  wanted.set_probe_quality(0.25f);
  const auto first = Update({"enrol_quality"}, wanted);
  EXPECT_EQ(first.collection().enrol_quality(), 0.75f);
  EXPECT_FALSE(first.collection().has_probe_quality());
  EXPECT_EQ(first.collection().min_cosine(), 0.5f) << "not named";
  const auto second = Update({"probe_quality", "min_cosine"}, wanted);
  EXPECT_EQ(second.collection().probe_quality(), 0.25f);
  EXPECT_FALSE(second.collection().has_min_cosine());
  const auto third = Update({"enrol_quality"}, {});
  EXPECT_FALSE(third.collection().has_enrol_quality());
  EXPECT_EQ(third.collection().probe_quality(), 0.25f);
}

}  // namespace
}  // namespace facegate
