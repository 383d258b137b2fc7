#include "face/detect/landmark_net.h"

#include <gmock/gmock.h>

#include <cmath>
#include <functional>
#include <opencv2/core.hpp>
#include <string>

#include "face/detect/landmark_cascade.h"
#include "face/detect/landmark_finder.h"
#include "tests/support/random_network_weights.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

cv::Mat RandomCrop(uint64_t seed) {
  cv::Mat crop(kLandmarkCropSide, kLandmarkCropSide, CV_8UC1);
  cv::RNG random(seed);
  random.fill(crop, cv::RNG::UNIFORM, 0, 256);
  return crop;
}

std::string RefusalOf(const std::function<void(LandmarkWeights&)>& change) {
  LandmarkWeights weights = RandomLandmarkWeights(1);
  change(weights);
  const auto net = LandmarkNet::Create(weights);
  EXPECT_THAT(net, StatusIs(StatusCode::kInvalidArgument));
  return std::string(MessageOf(net.status()));
}

TEST(LandmarkNetTest, RefusesOtherTensorsThanItsOwn) {
  EXPECT_THAT(
      RefusalOf([](LandmarkWeights& weights) { weights.tensors.erase("convolution3.weight"); }),
      HasSubstr("convolution3.weight is missing"));
  EXPECT_THAT(RefusalOf([](LandmarkWeights& weights) {
                weights.tensors["hidden.bias"] = {.shape = {63}, .values = std::vector<float>(63)};
              }),
              HasSubstr("hidden.bias is [63], expected [64]"));
  // The shape is right and the numbers are too few.
  EXPECT_THAT(RefusalOf([](LandmarkWeights& weights) {
                weights.tensors["output.weight"].values.pop_back();
              }),
              HasSubstr("output.weight"));
  EXPECT_THAT(RefusalOf([](LandmarkWeights& weights) {
                weights.tensors["extra"] = {.shape = {1}, .values = {1}};
              }),
              HasSubstr("unknown name"));
  EXPECT_THAT(
      RefusalOf([](LandmarkWeights& weights) { weights.tensors["output.bias"].values[3] = NAN; }),
      HasSubstr("output.bias has numbers that are not finite"));
  EXPECT_THAT(
      RefusalOf([](LandmarkWeights& weights) { weights.tensors[kBoxToFrame].values[2] = 0; }),
      HasSubstr("box_to_frame"));
}

TEST(LandmarkNetTest, GivesTheSameForTheSameCropAndAnotherForAnother) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto net, LandmarkNet::Create(RandomLandmarkWeights(2)));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto first, net->Run(RandomCrop(1)));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto other, net->Run(RandomCrop(2)));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto again, net->Run(RandomCrop(1)));
  EXPECT_EQ(first, again);
  EXPECT_NE(first, other);
}

TEST(LandmarkNetTest, TakesNoCropOfAnotherSize) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto net, LandmarkNet::Create(RandomLandmarkWeights(2)));
  EXPECT_THAT(net->Run(cv::Mat(32, 32, CV_8UC1, cv::Scalar(0))).status(),
              StatusIs(StatusCode::kInternal));
}

TEST(LandmarkInputTest, DoesNotDependOnBrightnessAndContrast) {
  cv::Mat crop = RandomCrop(3) / 2 + 30;
  cv::Mat brighter;
  crop.convertTo(brighter, CV_8U, 1.0, 60);
  EXPECT_LT(cv::norm(LandmarkInput(crop), LandmarkInput(brighter), cv::NORM_INF), 1e-5);
  const cv::Mat input = LandmarkInput(crop);
  EXPECT_NEAR(cv::mean(input)[0], 0, 1e-5);
  // One colour alone is no division by zero.
  EXPECT_EQ(cv::norm(LandmarkInput(cv::Mat(64, 64, CV_8UC1, cv::Scalar(77))), cv::NORM_INF), 0);
}

// A network whose points are those of the average face in every crop, with this confidence.
LandmarkWeights Constant(float logit) {
  LandmarkWeights weights = RandomLandmarkWeights(4);
  for (auto& [name, tensor] : weights.tensors) {
    if (name.starts_with("output")) std::fill(tensor.values.begin(), tensor.values.end(), 0.0F);
  }
  weights.tensors["output.bias"].values.back() = logit;
  weights.tensors[kBoxToFrame].values = {0.1F, -0.2F, 1.5F};
  return weights;
}

TEST(LandmarkFinderTest, PutsTheFrameWhereTheWeightsSayItLiesToTheBox) {
  const FaceFrame frame = FrameOfBox(Constant(0), {100, 50, 40, 40});
  EXPECT_NEAR(frame.centre.x, 120 - 0.5 + 4, 1e-4);
  EXPECT_NEAR(frame.centre.y, 70 - 0.5 - 8, 1e-4);
  EXPECT_NEAR(frame.side, 60, 1e-4);
}

TEST(LandmarkFinderTest, KeepsAFaceByItsConfidence) {
  const cv::Mat picture(200, 200, CV_8UC1, cv::Scalar(90));
  const FaceFrame start{.centre = {100, 90}, .side = 70, .angle = 0.3};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto sure, LandmarkNet::Create(Constant(2)));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto found, FindLandmarks(*sure, picture, start, 0.5));
  ASSERT_TRUE(found.has_value());
  EXPECT_NEAR(found->confidence, 1 / (1 + std::exp(-2.0)), 1e-5);
  ASSERT_EQ(found->points.size(), 5U);
  const cv::Point2d eye = start.ToPicture(AverageFace()[0]);
  EXPECT_NEAR(found->points[0].x, eye.x, 0.01);
  EXPECT_NEAR(found->points[0].y, eye.y, 0.01);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto unsure, LandmarkNet::Create(Constant(-2)));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto nothing, FindLandmarks(*unsure, picture, start, 0.5));
  EXPECT_FALSE(nothing.has_value());
}

TEST(LandmarkCascadeTest, IsNamedByItsWeights) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector,
                                CreateLandmarkCascadeDetector({}, RandomLandmarkWeights(5)));
  EXPECT_EQ(detector->name(), "haar+landmarks:0123456789ab");
}

TEST(LandmarkCascadeTest, FindsNoFaceInPicturesWithoutOne) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto detector,
                                CreateLandmarkCascadeDetector({}, RandomLandmarkWeights(5)));
  for (const cv::Size size :
       {cv::Size(1, 1), cv::Size(19, 300), cv::Size(320, 240), cv::Size(3000, 2)}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(
        const auto faces, detector->Detect({cv::Mat(size, CV_8UC3, cv::Scalar(90, 120, 150))}));
    EXPECT_TRUE(faces.empty()) << size;
  }
}

TEST(LandmarkCascadeTest, FailsWithoutItsFileOrWithOtherWeights) {
  const TempDir dir;
  const auto no_cascade =
      CreateLandmarkCascadeDetector({.directory = dir.path().string()}, RandomLandmarkWeights(5));
  ASSERT_THAT(no_cascade, StatusIs(StatusCode::kNotFound));
  EXPECT_THAT(MessageOf(no_cascade.status()), HasSubstr("haarcascade_frontalface_alt2.xml"));
  EXPECT_THAT(CreateLandmarkCascadeDetector({}, {}), StatusIs(StatusCode::kInvalidArgument));
}

TEST(LandmarkCascadeTest, RefusesSettingsOutOfRange) {
  const auto create = [](const LandmarkCascadeOptions& options) {
    return CreateLandmarkCascadeDetector(options, RandomLandmarkWeights(5));
  };
  const auto refused = StatusIs(StatusCode::kInvalidArgument);
  EXPECT_THAT(create({.scale_step = 1}), refused);
  EXPECT_THAT(create({.min_neighbours = 0}), refused);
  EXPECT_THAT(create({.min_face_share = -0.1}), refused);
  EXPECT_THAT(create({.max_side = 3}), refused);
  EXPECT_THAT(create({.min_confidence = NAN}), refused);
}

}  // namespace
}  // namespace facegate
