#include "face/detect/quality_meter.h"

#include <gmock/gmock.h>

#include <algorithm>
#include <atomic>
#include <filesystem>
#include <opencv2/core.hpp>
#include <opencv2/imgcodecs.hpp>
#include <opencv2/imgproc.hpp>
#include <thread>
#include <utility>
#include <vector>

#include "face/image/quarter_turns.h"
#include "face/weights/bundled_landmarks.h"
#include "face/weights/bundled_quality.h"
#include "tests/support/fake_detector.h"
#include "tests/support/random_network_weights.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using Component = QualityComponent;

NetworkWeights WithConstantOutputs(NetworkWeights weights, const std::vector<float>& outputs) {
  auto& weight = weights.tensors["output.weight"].values;
  std::fill(weight.begin(), weight.end(), 0.0F);
  weights.tensors["output.bias"].values = outputs;
  return weights;
}

// Networks that find nothing wrong with any crop: what remains is measured without them.
std::unique_ptr<QualityMeter> ContentMeter() {
  auto meter = CreateQualityMeter(
      WithConstantOutputs(RandomLandmarkWeights(1), {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 6}),
      WithConstantOutputs(RandomQualityWeights(1), {0.95F, 6, 6}));
  EXPECT_THAT(meter.status(), IsOk());
  return *std::move(meter);
}

// A picture of 300 x 300 with sharp edges and grain: no photo of anybody.
Image SharpPicture() {
  cv::Mat picture(300, 300, CV_8UC3, cv::Scalar(140, 150, 160));
  cv::RNG random(5);
  for (int i = 0; i < 400; ++i) {
    cv::circle(
        picture, {random.uniform(0, 300), random.uniform(0, 300)}, random.uniform(3, 12),
        cv::Scalar(random.uniform(30, 230), random.uniform(30, 230), random.uniform(30, 230)), -1,
        cv::LINE_AA);
  }
  cv::Mat grain(picture.size(), CV_16SC3);
  random.fill(grain, cv::RNG::NORMAL, 0, 5);
  cv::add(picture, grain, picture, cv::noArray(), CV_8U);
  return {.bgr = picture};
}

cv::Mat ThroughJpeg(const cv::Mat& picture, int quality) {
  std::vector<uchar> bytes;
  cv::imencode(".jpg", picture, bytes, {cv::IMWRITE_JPEG_QUALITY, quality});
  return cv::imdecode(bytes, cv::IMREAD_COLOR);
}

double ValueOf(const FaceQuality& quality, Component component) {
  for (const ComponentQuality& one : quality.components) {
    if (one.component == component) return one.value;
  }
  ADD_FAILURE() << "no " << QualityName(component);
  return -1;
}

std::vector<Component> LowOnes(const FaceQuality& quality) {
  std::vector<Component> low;
  for (const Shortcoming& one : ShortcomingsOf(quality, kDefaultProbeQuality)) {
    low.push_back(one.component);
  }
  return low;
}

TEST(QualityMeterTest, IsContentWithASharpFaceInGoodLight) {
  const auto meter = ContentMeter();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality quality,
                                meter->OfFace(SharpPicture(), facegate::FaceAt(90, 80)));
  EXPECT_THAT(LowOnes(quality), testing::ElementsAre());
  EXPECT_EQ(quality.components.size(), kQualityComponents);
  EXPECT_NEAR(ValueOf(quality, Component::kInterEyeDistance), 35.2, 0.5);
  EXPECT_NEAR(ValueOf(quality, Component::kExpectedGenuineScore), 0.95, 1e-3);
}

TEST(QualityMeterTest, MissesLight) {
  Image dark = SharpPicture();
  dark.bgr = dark.bgr * 0.05;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality quality,
                                ContentMeter()->OfFace(dark, facegate::FaceAt(90, 80)));
  EXPECT_THAT(LowOnes(quality), testing::IsSupersetOf({Component::kUnderExposure}));
}

TEST(QualityMeterTest, MissesDetailInABlurredFace) {
  Image blurred = SharpPicture();
  cv::GaussianBlur(blurred.bgr, blurred.bgr, {0, 0}, 8);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality quality,
                                ContentMeter()->OfFace(blurred, facegate::FaceAt(90, 80)));
  EXPECT_THAT(LowOnes(quality), testing::IsSupersetOf({Component::kSharpness}));
}

TEST(QualityMeterTest, CountsPixelsOfTheSource) {
  const Image large = SharpPicture();
  Image small;
  cv::resize(large.bgr, small.bgr, {50, 50}, 0, 0, cv::INTER_AREA);
  DetectedFace face = facegate::FaceAt(90, 80);
  for (cv::Point2f& point : face.landmarks) point *= 1 / 6.0F;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality quality, ContentMeter()->OfFace(small, face));
  EXPECT_NEAR(ValueOf(quality, Component::kInterEyeDistance), 35.2 / 6, 0.2);
  EXPECT_THAT(LowOnes(quality), testing::IsSupersetOf({Component::kInterEyeDistance}));
}

TEST(QualityMeterTest, IsNotFooledByAnEnlargedCrop) {
  const Image picture = SharpPicture();
  cv::Mat small;
  cv::resize(picture.bgr(cv::Rect(90, 80, 112, 112)), small, {14, 14}, 0, 0, cv::INTER_AREA);
  AlignedFace crop;
  cv::resize(small, crop.bgr, {112, 112}, 0, 0, cv::INTER_CUBIC);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality quality,
                                ContentMeter()->OfCrop(crop, AlignmentTemplate::kArcFace112));
  EXPECT_LT(ValueOf(quality, Component::kInterEyeDistance), 7);
  EXPECT_THAT(LowOnes(quality), testing::IsSupersetOf({Component::kInterEyeDistance}));
}

TEST(QualityMeterTest, MissesThePartOfAFaceThatIsOutsideThePicture) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality quality,
                                ContentMeter()->OfFace(SharpPicture(), facegate::FaceAt(-56, 80)));
  EXPECT_THAT(LowOnes(quality), testing::IsSupersetOf({Component::kFaceInPicture}));
}

TEST(QualityMeterTest, BelievesTheNetworks) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const auto meter,
      CreateQualityMeter(
          WithConstantOutputs(RandomLandmarkWeights(1), {0, 0, 0, 0, 0, 0, 0, 0, 0, 0, -6}),
          WithConstantOutputs(RandomQualityWeights(1), {0.1F, -6, -6})));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality quality,
                                meter->OfFace(SharpPicture(), facegate::FaceAt(90, 80)));
  EXPECT_THAT(LowOnes(quality), testing::UnorderedElementsAre(
                                    Component::kFacePresence, Component::kEyesVisible,
                                    Component::kMouthVisible, Component::kExpectedGenuineScore));
}

TEST(QualityMeterTest, TakesTheSecondLookOfTheDetector) {
  DetectedFace face = facegate::FaceAt(90, 80);
  face.second_look = SecondLook{.presence = 0.01, .points = {}};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality quality,
                                ContentMeter()->OfFace(SharpPicture(), face));
  EXPECT_EQ(ValueOf(quality, Component::kFacePresence), 0.01);
}

TEST(QualityMeterTest, MeasuresFacesOfTwoLandmarks) {
  DetectedFace face = facegate::FaceAt(90, 80);
  face.landmarks.resize(2);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality quality,
                                ContentMeter()->OfFace(SharpPicture(), face));
  EXPECT_THAT(LowOnes(quality), testing::ElementsAre());
}

TEST(QualityMeterTest, MissesLandmarksWhereASecondLookSeesThem) {
  DetectedFace face = facegate::FaceAt(90, 80);
  const auto points = TemplatePoints(AlignmentTemplate::kArcFace112);
  const auto aside = static_cast<float>(0.3 * cv::norm(points[1] - points[0]));
  SecondLook look{.presence = 0.999, .points = {}};
  for (size_t i = 0; i < points.size(); ++i) look.points[i] = points[i] + cv::Point2f(aside, 0);
  face.second_look = look;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality quality,
                                ContentMeter()->OfFace(SharpPicture(), face));
  EXPECT_NEAR(ValueOf(quality, Component::kLandmarkFit), 0.3, 1e-3);
  EXPECT_THAT(LowOnes(quality), testing::ElementsAre(Component::kLandmarkFit));
}

TEST(QualityMeterTest, MissesLandmarksInTheShapeOfAFace) {
  DetectedFace face = facegate::FaceAt(90, 80);
  // No turn and no scale brings such a mouth where a face has it.
  std::swap(face.landmarks[3], face.landmarks[4]);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality quality,
                                ContentMeter()->OfFace(SharpPicture(), face));
  EXPECT_THAT(LowOnes(quality), testing::Contains(Component::kLandmarkFit));
}

TEST(QualityMeterTest, MissesQuietInANoisyPicture) {
  Image noisy = SharpPicture();
  cv::Mat noise(noisy.bgr.size(), CV_16SC3);
  cv::RNG random(7);
  random.fill(noise, cv::RNG::NORMAL, 0, 40);
  cv::add(noisy.bgr, noise, noisy.bgr, cv::noArray(), CV_8U);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality quality,
                                ContentMeter()->OfFace(noisy, facegate::FaceAt(90, 80)));
  // Three channels in one luminance: less than of each.
  EXPECT_NEAR(ValueOf(quality, Component::kNoise), 26, 6);
  EXPECT_THAT(LowOnes(quality), testing::Contains(Component::kNoise));
}

TEST(QualityMeterTest, SeesTheBlocksOfAStronglyCompressedPhoto) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality whole,
                                ContentMeter()->OfFace(SharpPicture(), facegate::FaceAt(90, 80)));
  const Image picture{.bgr = ThroughJpeg(SharpPicture().bgr, 4)};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality quality,
                                ContentMeter()->OfFace(picture, facegate::FaceAt(90, 80)));
  EXPECT_LT(ValueOf(whole, Component::kCompressionArtifacts), 1.2);
  EXPECT_THAT(LowOnes(quality), testing::Contains(Component::kCompressionArtifacts));
}

TEST(QualityMeterTest, SeesTheBlocksOfAStronglyCompressedCrop) {
  const cv::Mat crop = SharpPicture().bgr(cv::Rect(90, 80, 112, 112)).clone();
  for (const AlignmentTemplate alignment :
       {AlignmentTemplate::kArcFace112, AlignmentTemplate::kSphereFace96x112}) {
    const int left = alignment == AlignmentTemplate::kArcFace112 ? 0 : 8;
    const cv::Mat own = crop(cv::Rect({left, 0}, CropSize(alignment))).clone();
    FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality whole,
                                  ContentMeter()->OfCrop({.bgr = own}, alignment));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality quality,
                                  ContentMeter()->OfCrop({.bgr = ThroughJpeg(own, 4)}, alignment));
    EXPECT_LT(ValueOf(whole, Component::kCompressionArtifacts), 1.3) << AlignmentName(alignment);
    EXPECT_THAT(LowOnes(quality), testing::Contains(Component::kCompressionArtifacts))
        << AlignmentName(alignment);
  }
}

TEST(QualityMeterTest, WantsHeadsUpright) {
  // A face that lies on its side, in a picture that lies with it.
  Image picture = SharpPicture();
  DetectedFace face = facegate::FaceAt(90, 80);
  for (cv::Point2f& point : face.landmarks) {
    point = TurnedByQuarters(point, 1, picture.bgr.size());
  }
  picture.bgr = TurnedByQuarters(picture.bgr, 1);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality lying, ContentMeter()->OfFace(picture, face));
  EXPECT_NEAR(ValueOf(lying, Component::kHeadRoll), 90, 0.5);
  EXPECT_THAT(LowOnes(lying), testing::ElementsAre(Component::kHeadRoll));
  // The search of the turned picture found it: the picture is turned, not the head.
  face.quarter_turns = 3;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality turned, ContentMeter()->OfFace(picture, face));
  EXPECT_NEAR(ValueOf(turned, Component::kHeadRoll), 0, 0.5);
  EXPECT_THAT(LowOnes(turned), testing::ElementsAre());
}

// The frame of the face lies inside both: what the networks see and the light are the same. Detail
// and blocks are looked for in the whole crop.
TEST(QualityMeterTest, MeasuresCropsOfTheNarrowTemplateAlike) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(LandmarkWeights landmarks, BundledLandmarkWeights());
  FACEGATE_ASSERT_OK_AND_ASSIGN(QualityWeights weights, BundledQualityWeights());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto meter,
                                CreateQualityMeter(std::move(landmarks), std::move(weights)));
  const cv::Mat wide = SharpPicture().bgr(cv::Rect(90, 80, 112, 112)).clone();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality of_wide,
                                meter->OfCrop({.bgr = wide}, AlignmentTemplate::kArcFace112));
  const cv::Mat narrow = wide(cv::Rect(8, 0, 96, 112)).clone();
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const FaceQuality of_narrow,
      meter->OfCrop({.bgr = narrow}, AlignmentTemplate::kSphereFace96x112));
  ASSERT_EQ(of_wide.components.size(), of_narrow.components.size());
  for (size_t i = 0; i < of_wide.components.size(); ++i) {
    const ComponentQuality& one = of_wide.components[i];
    const ComponentQuality& other = of_narrow.components[i];
    ASSERT_EQ(one.component, other.component);
    const bool of_whole_crop = one.component == Component::kInterEyeDistance ||
                               one.component == Component::kCompressionArtifacts;
    EXPECT_NEAR(one.value, other.value, of_whole_crop ? 0.05 * one.value : 1e-9)
        << QualityName(one.component);
  }
}

TEST(QualityMeterTest, GivesTheSameFromManyThreads) {
  const auto meter = ContentMeter();
  const Image picture = SharpPicture();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FaceQuality expected,
                                meter->OfFace(picture, facegate::FaceAt(90, 80)));
  std::atomic<int> differences = 0;
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i) {
    threads.emplace_back([&] {
      for (int k = 0; k < 5; ++k) {
        const auto quality = meter->OfFace(picture, facegate::FaceAt(90, 80));
        if (!quality.ok() || quality->score != expected.score) ++differences;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(differences, 0);
}

TEST(QualityMeterTest, TakesTheBundledNetworksOfWhichTheQualityOneIsSmall) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(LandmarkWeights landmarks, BundledLandmarkWeights());
  FACEGATE_ASSERT_OK_AND_ASSIGN(QualityWeights quality, BundledQualityWeights());
  EXPECT_EQ(quality.digest.size(), 12U);
  EXPECT_THAT(CreateQualityMeter(std::move(landmarks), std::move(quality)).status(), IsOk());
  EXPECT_LE(std::filesystem::file_size(FACEGATE_SOURCE_DIR "/deploy/models/quality.safetensors"),
            300'000U);
}

TEST(QualityMeterTest, RefusesWeightsOfOtherNetworks) {
  QualityWeights weights = RandomQualityWeights(1);
  weights.tensors["output.bias"] = {.shape = {4}, .values = {0, 0, 0, 0}};
  const auto meter = CreateQualityMeter(RandomLandmarkWeights(1), weights);
  EXPECT_THAT(meter.status(), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(meter.status())),
              testing::HasSubstr("quality network: tensor output.bias is [4], expected [3]"));
}

}  // namespace
}  // namespace facegate
