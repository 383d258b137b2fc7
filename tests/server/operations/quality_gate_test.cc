// Dark strangers resemble each other more than a person and their own dark picture: on every path
// from a face to a score the gate must keep them apart.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>
#include <vector>

#include "index/local/local_gallery.h"
#include "server/operations/comparison.h"
#include "server/operations/enrolment.h"
#include "server/operations/examination.h"
#include "server/operations/identification.h"
#include "server/operations/verification.h"
#include "tests/support/fake_clock.h"
#include "tests/support/fake_detector.h"
#include "tests/support/fake_embedder.h"
#include "tests/support/fake_quality_meter.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

// The collection "people" has "ada" of pattern 1 and "bob" of pattern 2.
class QualityGateTest : public ::testing::Test {
 protected:
  QualityGateTest() {
    auto gallery = OpenLocalGallery({.directory = dir_.File("store")}, clock_);
    FACEGATE_CHECK(gallery.ok());
    gallery_ = std::move(gallery).value();
    calibrations_ = std::make_unique<SiteCalibrations>(*gallery_, clock_);
    FACEGATE_CHECK(gallery_
                       ->CreateCollection("people", engine_.model(), FakeEmbedder::kEmbeddingSize,
                                          {.min_cosine = 0.5f})
                       .ok());
    FACEGATE_CHECK(EnrolProbe("ada", Crop(bright_)).ok());
    FACEGATE_CHECK(EnrolProbe("bob", Crop(EncodePng(PatternImage(2)))).ok());
  }

  OperationParts Parts() const {
    return {.engine = engine_,
            .gallery = *gallery_,
            .quality = policy_,
            .calibrations = *calibrations_};
  }
  // The bytes outlive the probe.
  static Probe Crop(const std::string& encoded) {
    return {.source = CropProbe{.encoded = encoded}, .field = "probe"};
  }
  static Probe Photo(const std::string& encoded,
                     FaceSelection selection = FaceSelection::kLargest) {
    return {
        .source = ImageProbe{.encoded = encoded, .selection = {.selection = selection, .box = {}}},
        .field = "probe"};
  }
  Probe Vector(const std::vector<float>& values) const {
    return {.source = EmbeddingProbe{.values = values, .model = engine_.model()}, .field = "probe"};
  }

  StatusOr<EnrolmentResult> EnrolProbe(const std::string& identity, const Probe& probe) {
    EnrolmentRequest request{
        .collection = "people", .identity = identity, .samples = {}, .must_be_new = false};
    request.samples.push_back({.probe = probe});
    return Enrol(Parts(), request, caller_, {});
  }
  VerificationResult VerifyAs(const std::string& identity, const Probe& probe) {
    auto result = Verify(
        Parts(),
        {.collection = "people", .identity = identity, .probe = probe, .operating_point = {}},
        caller_);
    EXPECT_THAT(result, IsOk());
    return *std::move(result);
  }
  IdentificationResult IdentifyProbe(const Probe& probe, const IdentificationOptions& options) {
    auto result = Identify(Parts(),
                           {.collections = {{.id = "people"}},
                            .probe = probe,
                            .operating_point = {},
                            .options = options},
                           caller_);
    EXPECT_THAT(result, IsOk());
    return *std::move(result);
  }
  ComparisonResult CompareProbes(const Probe& first, const Probe& second,
                                 std::optional<float> probe_quality) {
    auto result = Compare(Parts(),
                          {.probes = {first, second},
                           .operating_point = OperatingPoint{.value = 0.5},
                           .probe_quality = probe_quality},
                          caller_);
    EXPECT_THAT(result, IsOk());
    return *std::move(result);
  }
  void WantInPeople(const CollectionChange& change) {
    ASSERT_THAT(gallery_->UpdateCollection("people", change, ""), IsOk());
  }

  TempDir dir_;
  FakeClock clock_;
  FakeEmbedder embedder_;
  FakeDetector detector_;
  FakeQualityMeter meter_;
  Batcher batcher_{{}, embedder_, clock_};
  DecodeBudget decode_budget_{1 << 30, clock_};
  FaceEngine engine_{embedder_,      batcher_,       &detector_, &meter_,
                     DecodeLimits{}, decode_budget_, clock_};
  std::unique_ptr<GalleryBackend> gallery_;
  std::unique_ptr<SiteCalibrations> calibrations_;
  QualityPolicy policy_;
  Caller caller_;
  const std::string bright_ = EncodePng(PatternImage(1));
  const std::string dark_ = EncodePng(DarkPattern(1));
  const std::string dark_stranger_ = EncodePng(DarkPattern(9));
};

TEST_F(QualityGateTest, WithoutItDarkStrangersMatch) {
  const ComparisonResult result = CompareProbes(Crop(dark_), Crop(dark_stranger_), 0.0f);
  EXPECT_EQ(result.decision, Decision::kMatch);
  EXPECT_GT(*result.cosine, 0.9f);
}

TEST_F(QualityGateTest, AComparisonIsInconclusiveWhereEitherFaceIsUnfit) {
  EXPECT_EQ(CompareProbes(Crop(dark_), Crop(dark_stranger_), {}).decision, Decision::kInconclusive);
  const ComparisonResult first = CompareProbes(Crop(dark_), Crop(bright_), {});
  EXPECT_EQ(first.decision, Decision::kInconclusive);
  EXPECT_FALSE(first.cosine.has_value());
  EXPECT_FALSE(first.faces[0].shortcomings.empty());
  EXPECT_TRUE(first.faces[1].shortcomings.empty());
  EXPECT_EQ(CompareProbes(Photo(bright_), Photo(dark_), {}).decision, Decision::kInconclusive);
  EXPECT_EQ(CompareProbes(Photo(bright_), Crop(bright_), {}).decision, Decision::kMatch);
}

TEST_F(QualityGateTest, WhatAComparisonWantsComesFromTheRequest) {
  EXPECT_EQ(CompareProbes(Crop(dark_), Crop(dark_), 0.1f).decision, Decision::kMatch);
  EXPECT_EQ(CompareProbes(Crop(dark_), Crop(dark_), 0.3f).decision, Decision::kInconclusive);
}

TEST_F(QualityGateTest, AnUnfitFaceIsNotEmbedded) {
  const size_t before = embedder_.batch_sizes().size();
  VerifyAs("ada", Crop(dark_));
  EXPECT_EQ(embedder_.batch_sizes().size(), before);
}

TEST_F(QualityGateTest, AVerificationOfAnUnfitFaceIsInconclusive) {
  for (const Probe& probe : {Crop(dark_), Photo(dark_)}) {
    const VerificationResult result = VerifyAs("ada", probe);
    EXPECT_EQ(result.decision, Decision::kInconclusive);
    EXPECT_FALSE(result.best.has_value());
    EXPECT_EQ(result.face.wanted, kDefaultProbeQuality);
    EXPECT_FALSE(result.face.shortcomings.empty());
  }
  EXPECT_EQ(VerifyAs("ada", Photo(bright_)).decision, Decision::kMatch);
}

TEST_F(QualityGateTest, AVerificationWantsWhatTheCollectionWants) {
  WantInPeople({.set_probe_quality = true, .probe_quality = 0.0f});
  EXPECT_EQ(VerifyAs("ada", Crop(dark_)).face.wanted, 0.0);
  EXPECT_NE(VerifyAs("ada", Crop(dark_)).decision, Decision::kInconclusive);
  WantInPeople({.set_probe_quality = true, .probe_quality = std::nullopt});
  EXPECT_EQ(VerifyAs("ada", Crop(dark_)).decision, Decision::kInconclusive);
}

TEST_F(QualityGateTest, AVerificationAgainstNobodyIsRefusedHoweverBadTheFace) {
  EXPECT_THAT(Verify(Parts(),
                     {.collection = "people",
                      .identity = "nobody",
                      .probe = Crop(dark_),
                      .operating_point = {}},
                     caller_),
              RefusedWith(Reason::kIdentityNotFound));
}

TEST_F(QualityGateTest, EmbeddingsAndStoredTemplatesAreTheCallersWord) {
  const std::vector<float> values = FakeEmbedder::Describe({DarkPattern(1)});
  EXPECT_NE(VerifyAs("ada", Vector(values)).decision, Decision::kInconclusive);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto templates,
                                gallery_->ListTemplates("people", "ada", 0, 1));
  const Probe stored{
      .source =
          StoredProbe{{.collection = "people", .identity = "ada", .template_id = templates[0].id}},
      .field = "probe"};
  EXPECT_EQ(VerifyAs("ada", stored).decision, Decision::kMatch);
}

TEST_F(QualityGateTest, AnUnfitFaceOfAPictureIsInconclusiveAndTheOthersAreNot) {
  cv::Mat photo;
  cv::hconcat(std::vector<cv::Mat>{DarkPattern(1), PatternImage(2)}, photo);
  const std::string encoded = EncodePng(photo);
  detector_.set_faces({FaceAt(0, 0), FaceAt(112, 0)});
  const IdentificationResult result = IdentifyProbe(
      Photo(encoded, FaceSelection::kAll), {.max_candidates = 5, .include_below_threshold = true});
  ASSERT_EQ(result.faces.size(), 2u);
  EXPECT_EQ(result.faces[0].decision, Decision::kInconclusive);
  EXPECT_TRUE(result.faces[0].candidates.empty()) << "also with include_below_threshold";
  EXPECT_FALSE(result.faces[0].face.shortcomings.empty());
  EXPECT_EQ(result.faces[1].decision, Decision::kMatch);
  EXPECT_EQ(result.faces[1].candidates[0].candidate.identity, "bob");
}

// "ada" is enrolled with her dark picture, too, as a collection without the policy would do.
TEST_F(QualityGateTest, AnUnfitFaceTakesNobodyAwayFromTheOthers) {
  policy_.enrol = 0.0;
  ASSERT_THAT(EnrolProbe("ada", Crop(dark_)), IsOk());
  cv::Mat photo;
  cv::hconcat(std::vector<cv::Mat>{DarkPattern(1), BlendedPattern(1, 50, 0.8)}, photo);
  const std::string encoded = EncodePng(photo);
  detector_.set_faces({FaceAt(0, 0), FaceAt(112, 0)});
  const IdentificationOptions unique{.max_candidates = 5, .unique_identities = true};

  const auto gated = IdentifyProbe(Photo(encoded, FaceSelection::kAll), unique);
  EXPECT_EQ(gated.faces[0].decision, Decision::kInconclusive);
  ASSERT_EQ(gated.faces[1].decision, Decision::kMatch);
  EXPECT_EQ(gated.faces[1].candidates[0].candidate.identity, "ada");

  policy_.probe = 0.0;
  const auto open = IdentifyProbe(Photo(encoded, FaceSelection::kAll), unique);
  EXPECT_EQ(open.faces[0].decision, Decision::kMatch) << "the dark face is nearer to her";
  EXPECT_EQ(open.faces[1].decision, Decision::kNoMatch);
}

TEST_F(QualityGateTest, NoUnfitFaceIsEnrolled) {
  for (const Probe& probe : {Crop(dark_), Photo(dark_)}) {
    const auto refused = EnrolProbe("eve", probe);
    EXPECT_THAT(refused, RefusedWith(Reason::kLowQuality));
    EXPECT_EQ(MetadataOf(refused.status()).count("under_exposure"), 1u);
  }
  EXPECT_THAT(gallery_->GetIdentity("people", "eve"), RefusedWith(Reason::kIdentityNotFound));
}

TEST_F(QualityGateTest, OneUnfitSampleRefusesThemAllAtItsField) {
  EnrolmentRequest request{
      .collection = "people", .identity = "eve", .samples = {}, .must_be_new = false};
  request.samples.push_back({.probe = Crop(bright_)});
  request.samples.push_back({.probe = Crop(dark_)});
  request.samples[1].probe.field = "samples[1]";
  const auto refused = Enrol(Parts(), request, caller_, {});
  EXPECT_THAT(refused, RefusedWith(Reason::kLowQuality));
  EXPECT_EQ(FieldOf(refused.status()), "samples[1].aligned_crop");
  EXPECT_THAT(gallery_->GetIdentity("people", "eve"), RefusedWith(Reason::kIdentityNotFound));
}

TEST_F(QualityGateTest, AnEnrolmentWantsWhatTheCollectionWants) {
  WantInPeople({.set_enrol_quality = true, .enrol_quality = 0.1f});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto enrolled, EnrolProbe("eve", Crop(dark_)));
  EXPECT_FLOAT_EQ(static_cast<float>(enrolled.samples[0].face.wanted), 0.1f);
  WantInPeople({.set_enrol_quality = true, .enrol_quality = 0.9f});
  EXPECT_THAT(EnrolProbe("eve", Crop(dark_)), RefusedWith(Reason::kLowQuality));
}

TEST_F(QualityGateTest, ATemplateTellsWhatItWasMadeFromAndHowGoodItWas) {
  const std::vector<float> values = FakeEmbedder::Describe({DarkPattern(1)});
  ASSERT_THAT(EnrolProbe("eve", Photo(bright_)), IsOk());
  ASSERT_THAT(EnrolProbe("eve", Crop(bright_)), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto word, EnrolProbe("eve", Vector(values)));
  EXPECT_TRUE(word.samples[0].face.empty());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto templates,
                                gallery_->ListTemplates("people", "eve", 0, 10));
  ASSERT_EQ(templates.size(), 3u);
  EXPECT_EQ(templates[0].source, TemplateSource::kImage);
  EXPECT_EQ(templates[0].quality, 1.0f);
  EXPECT_EQ(templates[1].source, TemplateSource::kAlignedCrop);
  EXPECT_EQ(templates[1].quality, 1.0f);
  EXPECT_EQ(templates[2].source, TemplateSource::kEmbedding);
  EXPECT_EQ(templates[2].quality, std::nullopt);
}

TEST_F(QualityGateTest, EmbeddingAndDetectionTellTheQualityAndKeepNothingBack) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto embedded, EmbedFace(Parts(), Photo(dark_), caller_));
  EXPECT_FALSE(embedded.face.shortcomings.empty());
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const auto detected,
      DetectFaces(Parts(), dark_, {.selection = FaceSelection::kAll, .box = {}}, caller_));
  ASSERT_EQ(detected.faces.size(), 1u);
  EXPECT_EQ(detected.faces[0].wanted, kDefaultProbeQuality);
  EXPECT_FALSE(detected.faces[0].shortcomings.empty());
}

}  // namespace
}  // namespace facegate
