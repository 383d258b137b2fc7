#include "trainer/synthetic/synthetic_face.h"

#include <gmock/gmock.h>

#include <cmath>
#include <opencv2/core.hpp>
#include <set>
#include <string>
#include <thread>
#include <vector>

#include "face/image/align.h"
#include "tests/support/same_pixels.h"
#include "tests/support/status_matchers.h"

namespace facegate::synthetic {
namespace {

constexpr uint64_t kSeed = 11;
constexpr PictureOptions kSmall{.width = 128, .height = 128};

RenderedFace Whole(uint64_t identity, uint64_t view, const PictureOptions& options = kSmall) {
  auto picture = RenderFace({.seed = kSeed, .identity = identity, .view = view}, options);
  EXPECT_THAT(picture, IsOk());
  return *std::move(picture);
}

cv::Mat Crop(uint64_t identity, uint64_t view, double difficulty = 1.0) {
  auto picture = RenderFaceCrop({.seed = kSeed, .identity = identity, .view = view},
                                {.difficulty = difficulty});
  EXPECT_THAT(picture, IsOk());
  return picture->picture;
}

// Mean difference of a pixel's channel, 0..255.
double Difference(const cv::Mat& a, const cv::Mat& b) {
  return cv::norm(a, b, cv::NORM_L1) / static_cast<double>(a.total() * 3);
}

TEST(SyntheticFaceTest, DrawsTheSameBytesForTheSameName) {
  const RenderedFace first = Whole(3, 1);
  Whole(4, 0);  // what was drawn between makes no difference
  const RenderedFace again = Whole(3, 1);
  EXPECT_TRUE(SamePixels(first.picture, again.picture));
  EXPECT_EQ(first.landmarks, again.landmarks);
  EXPECT_TRUE(SamePixels(Crop(3, 1), Crop(3, 1)));
}

TEST(SyntheticFaceTest, DrawsTheSameBytesInEveryThread) {
  std::vector<cv::Mat> expected;
  for (uint64_t i = 0; i < 6; ++i) expected.push_back(Crop(i, i));
  std::vector<cv::Mat> drawn(6);
  {
    std::vector<std::jthread> threads;
    for (size_t i = 0; i < 6; ++i) {
      threads.emplace_back([&drawn, i] { drawn[i] = Crop(i, i); });
    }
  }
  for (size_t i = 0; i < 6; ++i) EXPECT_TRUE(SamePixels(expected[i], drawn[i])) << i;
}

TEST(SyntheticFaceTest, GivesAnotherPictureForAnotherSeedIdentityOrView) {
  const cv::Mat crop = Crop(1, 1);
  EXPECT_GT(Difference(crop, Crop(1, 2)), 2.0);
  EXPECT_GT(Difference(crop, Crop(2, 1)), 2.0);
  const auto other = RenderFaceCrop({.seed = kSeed + 1, .identity = 1, .view = 1});
  ASSERT_THAT(other, IsOk());
  EXPECT_GT(Difference(crop, other->picture), 2.0);
}

TEST(SyntheticFaceTest, ShowsOnePersonMoreAlikeThanTwoInTheSameEasyView) {
  // The person is what differs most without turns, hard light and noise.
  double same = 0.0;
  double different = 0.0;
  for (uint64_t i = 0; i < 12; ++i) {
    same += Difference(Crop(i, 0, 0.0)({31, 41, 50, 60}), Crop(i, 1, 0.0)({31, 41, 50, 60}));
    different +=
        Difference(Crop(i, 0, 0.0)({31, 41, 50, 60}), Crop(i + 1, 0, 0.0)({31, 41, 50, 60}));
  }
  EXPECT_LT(1.2 * same, different);
}

TEST(SyntheticFaceTest, KeepsLandmarksInsideThePictureAndInTheirOrder) {
  for (uint64_t i = 0; i < 40; ++i) {
    const auto found =
        FaceLandmarks({.seed = kSeed, .identity = i, .view = i}, {.width = 320, .height = 200});
    ASSERT_THAT(found, IsOk());
    const auto& [left_eye, right_eye, nose, left_mouth, right_mouth] = *found;
    for (const cv::Point2f& point : *found) {
      EXPECT_TRUE(cv::Rect2f(0.0F, 0.0F, 319.0F, 199.0F).contains(point)) << i << ": " << point;
    }
    EXPECT_LT(left_eye.x + 5.0F, right_eye.x) << i;
    EXPECT_LT(left_mouth.x + 3.0F, right_mouth.x) << i;
    EXPECT_LT(std::max(left_eye.y, right_eye.y), nose.y) << i;
    EXPECT_LT(nose.y, std::max(left_mouth.y, right_mouth.y)) << i;
  }
}

TEST(SyntheticFaceTest, FindsTheSameLandmarksWithoutDrawing) {
  const FaceName name{.seed = kSeed, .identity = 5, .view = 2};
  EXPECT_EQ(*FaceLandmarks(name, kSmall), RenderFace(name, kSmall)->landmarks);
  EXPECT_EQ(*FaceCropLandmarks(name), RenderFaceCrop(name)->landmarks);
}

TEST(SyntheticFaceTest, AlignsCropsToTheTemplate) {
  const auto wanted = TemplatePoints(AlignmentTemplate::kArcFace112);
  for (uint64_t i = 0; i < 10; ++i) {
    const auto crop =
        RenderFaceCrop({.seed = kSeed, .identity = i, .view = 0}, {.difficulty = 0.0});
    ASSERT_THAT(crop, IsOk());
    EXPECT_EQ(crop->picture.size(), cv::Size(112, 112));
    EXPECT_EQ(crop->picture.type(), CV_8UC3);
    for (size_t j = 0; j < wanted.size(); ++j) {
      EXPECT_LT(cv::norm(crop->landmarks[j] - wanted[j]), 7.0) << i << ", point " << j;
    }
  }
}

TEST(SyntheticFaceTest, DrawsDarkAndLightSkin) {
  double darkest = 255.0;
  double lightest = 0.0;
  for (uint64_t i = 0; i < 30; ++i) {
    const double cheek = cv::mean(Crop(i, 0, 0.0)({40, 72, 32, 8}))[1];
    darkest = std::min(darkest, cheek);
    lightest = std::max(lightest, cheek);
  }
  EXPECT_LT(darkest, 90.0);
  EXPECT_GT(lightest, 150.0);
}

TEST(SyntheticFaceTest, RefusesOptionsOutOfRange) {
  const FaceName name{};
  EXPECT_THAT(RenderFace(name, {.width = 63}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(RenderFace(name, {.height = 4097}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(RenderFaceCrop(name, {.difficulty = 1.5}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(FaceLandmarks(name, {.difficulty = std::nan("")}),
              StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate::synthetic
