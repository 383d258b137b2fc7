#include "server/engine/face_engine.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <limits>
#include <memory>
#include <vector>

#include "tests/support/fake_clock.h"
#include "tests/support/fake_detector.h"
#include "tests/support/fake_embedder.h"
#include "tests/support/fake_quality_meter.h"
#include "tests/support/pattern_image.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

SelectionRequest Select(FaceSelection selection) { return {.selection = selection, .box = {}}; }

class FaceEngineTest : public ::testing::Test {
 protected:
  static Embedding EmbeddingOf(uint64_t seed) {
    return *Embedding::Normalize(FakeEmbedder::Describe({PatternImage(seed)}));
  }
  StatusOr<std::vector<EmbeddedFace>> EmbedImage(const std::string& encoded,
                                                 const SelectionRequest& selection) {
    FACEGATE_ASSIGN_OR_RETURN(auto faces, engine_.FromImage(encoded, selection, caller_));
    return engine_.Embed(std::move(faces), caller_);
  }
  // Two patterns side by side.
  static std::string GroupPhoto(uint64_t left, uint64_t right) {
    cv::Mat photo;
    cv::hconcat(PatternImage(left), PatternImage(right), photo);
    return EncodePng(photo);
  }

  FakeClock clock_;
  FakeEmbedder embedder_;
  FakeDetector detector_;
  Batcher batcher_{{}, embedder_, clock_};
  DecodeLimits limits_{.max_bytes = 1 << 20, .max_pixels = 1'000'000};
  DecodeBudget decode_budget_{1 << 30, clock_};
  FaceEngine engine_{embedder_, batcher_, &detector_, nullptr, limits_, decode_budget_, clock_};
  Caller caller_;
};

TEST_F(FaceEngineTest, EmbedsAnAlignedCropAsItIs) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(PreparedFace crop, engine_.FromCrop(PatternPng(1), caller_));
  std::vector<PreparedFace> faces;
  faces.push_back(std::move(crop));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto embedded, engine_.Embed(std::move(faces), caller_));
  ASSERT_EQ(embedded.size(), 1u);
  EXPECT_EQ(*embedded[0].embedding, EmbeddingOf(1));
  EXPECT_FALSE(embedded[0].detected.has_value());
  EXPECT_EQ(embedded[0].detector, "none");
}

TEST_F(FaceEngineTest, AlignsTheFaceThatTheDetectorFound) {
  detector_.set_faces({FaceAt(112, 0)});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto faces,
                                EmbedImage(GroupPhoto(1, 2), Select(FaceSelection::kSingle)));
  ASSERT_EQ(faces.size(), 1u);
  EXPECT_GT(CosineScore(faces[0].embedding->values(), EmbeddingOf(2).values()), 0.9999f);
  EXPECT_EQ(faces[0].detector, "fake");
  ASSERT_TRUE(faces[0].detected.has_value());
  EXPECT_EQ(faces[0].detected->box.x, 112);
}

TEST_F(FaceEngineTest, EmbedsAllFacesOfAPictureInOneBatch) {
  detector_.set_faces({FaceAt(0, 0), FaceAt(112, 0)});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto faces,
                                EmbedImage(GroupPhoto(1, 2), Select(FaceSelection::kAll)));
  ASSERT_EQ(faces.size(), 2u);
  EXPECT_GT(CosineScore(faces[0].embedding->values(), EmbeddingOf(1).values()), 0.9999f);
  EXPECT_GT(CosineScore(faces[1].embedding->values(), EmbeddingOf(2).values()), 0.9999f);
  EXPECT_EQ(embedder_.batch_sizes(), std::vector<size_t>{2});
}

TEST_F(FaceEngineTest, RefusesAFaceWithoutLandmarks) {
  DetectedFace bare = FaceAt(0, 0);
  bare.landmarks.clear();
  detector_.set_faces({bare});
  EXPECT_THAT(EmbedImage(PatternPng(1), Select(FaceSelection::kSingle)),
              RefusedWith(Reason::kNoFace));
}

TEST_F(FaceEngineTest, KeepsAFaceWithoutLandmarksOfAGroupButGivesItNoEmbedding) {
  DetectedFace bare = FaceAt(0, 0);
  bare.landmarks.clear();
  detector_.set_faces({bare, FaceAt(112, 0)});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto faces,
                                EmbedImage(GroupPhoto(1, 2), Select(FaceSelection::kAll)));
  ASSERT_EQ(faces.size(), 2u);
  EXPECT_FALSE(faces[0].embedding.has_value());
  EXPECT_TRUE(faces[0].detected.has_value());
  EXPECT_GT(CosineScore(faces[1].embedding->values(), EmbeddingOf(2).values()), 0.9999f);
}

TEST_F(FaceEngineTest, RefusesAPictureWithoutAFaceOrWithTooMany) {
  detector_.set_faces({});
  EXPECT_THAT(EmbedImage(PatternPng(1), Select(FaceSelection::kLargest)),
              RefusedWith(Reason::kNoFace));
  detector_.set_faces({FaceAt(0, 0), FaceAt(5, 5)});
  EXPECT_THAT(EmbedImage(PatternPng(1), Select(FaceSelection::kSingle)),
              RefusedWith(Reason::kMultipleFaces));
}

TEST_F(FaceEngineTest, DetectsNothingAsAnAnswerForAllAlone) {
  detector_.set_faces({});
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const Detection all, engine_.Detect(PatternPng(1), Select(FaceSelection::kAll), caller_));
  EXPECT_TRUE(all.faces.empty());
  EXPECT_EQ(all.image_width, 112);
  EXPECT_EQ(all.image_height, 112);
  EXPECT_THAT(engine_.Detect(PatternPng(1), Select(FaceSelection::kLargest), caller_),
              RefusedWith(Reason::kNoFace));
}

TEST_F(FaceEngineTest, RefusesACropOfAnotherSizeWithBothSizes) {
  const auto crop = engine_.FromCrop(EncodePng(PatternImage(1, {96, 112})), caller_);
  EXPECT_THAT(crop, RefusedWith(Reason::kCropSize));
  EXPECT_THAT(std::string(MessageOf(crop.status())), HasSubstr("96x112"));
  EXPECT_THAT(std::string(MessageOf(crop.status())), HasSubstr("112x112"));
}

TEST_F(FaceEngineTest, TakesTheCropSizeOfTheModelsTemplate) {
  FakeEmbedder narrow;
  narrow.mutable_card().preprocessing.alignment = AlignmentTemplate::kSphereFace96x112;
  Batcher batcher({}, narrow, clock_);
  const FaceEngine engine(narrow, batcher, nullptr, nullptr, limits_, decode_budget_, clock_);
  EXPECT_THAT(engine.FromCrop(EncodePng(PatternImage(1, {96, 112})), caller_), IsOk());
  EXPECT_THAT(engine.FromCrop(PatternPng(1), caller_), RefusedWith(Reason::kCropSize));
}

TEST_F(FaceEngineTest, RefusesBrokenAndLargeImages) {
  EXPECT_THAT(engine_.FromCrop("no image", caller_), RefusedWith(Reason::kImageUndecodable));
  EXPECT_THAT(engine_.FromCrop("", caller_), RefusedWith(Reason::kImageUndecodable));
  EXPECT_THAT(engine_.FromImage("no image", Select(FaceSelection::kLargest), caller_),
              RefusedWith(Reason::kImageUndecodable));
  const std::string many_bytes(limits_.max_bytes + 1, 'x');
  EXPECT_THAT(engine_.FromCrop(many_bytes, caller_), RefusedWith(Reason::kImageTooLarge));
  EXPECT_THAT(engine_.FromImage(many_bytes, Select(FaceSelection::kLargest), caller_),
              RefusedWith(Reason::kImageTooLarge));
  const std::string many_pixels = EncodePng(cv::Mat::zeros(1001, 1000, CV_8UC3));
  EXPECT_THAT(engine_.FromImage(many_pixels, Select(FaceSelection::kLargest), caller_),
              RefusedWith(Reason::kImageTooLarge));
}

TEST_F(FaceEngineTest, NormalisesAGivenEmbedding) {
  std::vector<float> values(FakeEmbedder::kEmbeddingSize, 3.0f);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PreparedFace face,
                                engine_.FromEmbedding(values, engine_.model()));
  EXPECT_NEAR(std::get<Embedding>(face.content).values()[0],
              1 / std::sqrt(static_cast<float>(values.size())), 1e-6f);
}

TEST_F(FaceEngineTest, RefusesAnEmbeddingThatIsNone) {
  const ModelKey model = engine_.model();
  EXPECT_THAT(engine_.FromEmbedding(std::vector<float>(47, 1.0f), model),
              RefusedWith(Reason::kEmbeddingInvalid));
  EXPECT_THAT(engine_.FromEmbedding(std::vector<float>(48, 0.0f), model),
              RefusedWith(Reason::kEmbeddingInvalid));
  std::vector<float> values(48, 1.0f);
  values[7] = std::numeric_limits<float>::quiet_NaN();
  EXPECT_THAT(engine_.FromEmbedding(values, model), RefusedWith(Reason::kEmbeddingInvalid));
}

TEST_F(FaceEngineTest, RefusesAnEmbeddingOfAnotherModelWithBothDigests) {
  ModelKey other = engine_.model();
  other.model_digest = std::string(64, 'e');
  const auto face = engine_.FromEmbedding(std::vector<float>(48, 1.0f), other);
  EXPECT_THAT(face, RefusedWith(Reason::kModelMismatch));
  EXPECT_THAT(std::string(MessageOf(face.status())), HasSubstr(other.model_digest));
  EXPECT_THAT(std::string(MessageOf(face.status())), HasSubstr(engine_.model().model_digest));
}

TEST_F(FaceEngineTest, TakesTheBestOfMoreFacesThanAPictureMayHave) {
  std::vector<DetectedFace> crowd;
  for (int i = 0; i < 1010; ++i)
    crowd.push_back(FaceAt(0, 0, 0.9f - static_cast<float>(i) * 1e-4f));
  detector_.set_faces(crowd);
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const Detection all, engine_.Detect(PatternPng(1), Select(FaceSelection::kAll), caller_));
  ASSERT_EQ(all.faces.size(), 1000u);
  EXPECT_EQ(all.faces.back().detected.score, crowd[999].score);
}

// The picture's bytes are given back before the next one is decoded.
TEST_F(FaceEngineTest, HoldsThePixelsOfOnePictureAtATime) {
  DecodeBudget one(1, clock_);  // any picture is larger, so it is decoded alone
  const FaceEngine engine(embedder_, batcher_, &detector_, nullptr, limits_, one, clock_);
  for (int i = 0; i < 3; ++i) {
    EXPECT_THAT(engine.FromImage(PatternPng(1), Select(FaceSelection::kLargest), caller_), IsOk());
    EXPECT_THAT(engine.FromCrop(PatternPng(1), caller_), IsOk());
  }
  EXPECT_THAT(one.Take(1, {.deadline = clock_.Now(), .cancelled = nullptr}),
              RefusedWith(Reason::kDeadline))
      << "who is too late gets nothing";
  EXPECT_THAT(one.Take(1, caller_), IsOk());
}

TEST_F(FaceEngineTest, TakesNoPicturesWithoutADetector) {
  const FaceEngine engine(embedder_, batcher_, nullptr, nullptr, limits_, decode_budget_, clock_);
  EXPECT_EQ(engine.detector_name(), "none");
  const auto faces = engine.FromImage(PatternPng(1), Select(FaceSelection::kLargest), caller_);
  EXPECT_THAT(faces, RefusedWith(Reason::kInvalidField));
  EXPECT_THAT(std::string(MessageOf(faces.status())), HasSubstr("no detector"));
  EXPECT_THAT(engine.FromCrop(PatternPng(1), caller_), IsOk());
}

TEST_F(FaceEngineTest, ComputesNothingForACallerWhoseDeadlineHasPassed) {
  caller_.deadline = clock_.Now();
  EXPECT_THAT(engine_.FromCrop(PatternPng(1), caller_), RefusedWith(Reason::kDeadline));
  EXPECT_THAT(engine_.FromImage(PatternPng(1), Select(FaceSelection::kLargest), caller_),
              RefusedWith(Reason::kDeadline));
  EXPECT_TRUE(embedder_.batch_sizes().empty());
}

class MeasuringEngineTest : public FaceEngineTest {
 protected:
  MeasuringEngineTest() { detector_.set_faces({FaceAt(0, 0), FaceAt(112, 0)}); }
  // A dark pattern beside a bright one.
  static std::string DarkAndBright() {
    cv::Mat photo;
    cv::hconcat(DarkPattern(1), PatternImage(2), photo);
    return EncodePng(photo);
  }

  FakeQualityMeter meter_;
  FaceEngine measuring_{embedder_, batcher_, &detector_, &meter_, limits_, decode_budget_, clock_};
};

TEST_F(MeasuringEngineTest, MeasuresEachFaceOfAPicture) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      auto prepared, measuring_.FromImage(DarkAndBright(), Select(FaceSelection::kAll), caller_));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto faces, measuring_.Embed(std::move(prepared), caller_));
  ASSERT_EQ(faces.size(), 2u);
  EXPECT_LT(faces[0].quality->score, 0.4);
  EXPECT_EQ(faces[1].quality->score, 1.0);
}

TEST_F(MeasuringEngineTest, MeasuresWhatItDetects) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const Detection all,
      measuring_.Detect(DarkAndBright(), Select(FaceSelection::kAll), caller_));
  ASSERT_EQ(all.faces.size(), 2u);
  EXPECT_LT(all.faces[0].quality->score, 0.4);
  EXPECT_EQ(all.faces[1].quality->score, 1.0);
}

TEST_F(MeasuringEngineTest, MeasuresCropsAndNoEmbeddings) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const PreparedFace crop,
                                measuring_.FromCrop(EncodePng(DarkPattern(1)), caller_));
  EXPECT_LT(crop.quality->score, 0.4);
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const PreparedFace embedding,
      measuring_.FromEmbedding(std::vector<float>(48, 1.0f), measuring_.model()));
  EXPECT_FALSE(embedding.quality.has_value());
}

TEST_F(MeasuringEngineTest, DoesNotMeasureWhatCannotBeAligned) {
  DetectedFace bare = FaceAt(0, 0);
  bare.landmarks.clear();
  detector_.set_faces({bare, FaceAt(112, 0)});
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const Detection all,
      measuring_.Detect(DarkAndBright(), Select(FaceSelection::kAll), caller_));
  EXPECT_FALSE(all.faces[0].quality.has_value());
  EXPECT_TRUE(all.faces[1].quality.has_value());
}

TEST_F(FaceEngineTest, ReturnsTheModelsError) {
  embedder_.FailWith(Internal("broken"));
  EXPECT_THAT(EmbedImage(PatternPng(1), Select(FaceSelection::kLargest)),
              StatusIs(StatusCode::kInternal));
}

}  // namespace
}  // namespace facegate
