#include "trainer/photos/degradation.h"

#include <gtest/gtest.h>

#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <set>
#include <string>

#include "face/image/align.h"
#include "tests/support/same_pixels.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

const Landmarks kFaceInPhoto = {{90, 100}, {150, 104}, {118, 140}, {95, 170}, {143, 172}};

// Waves of several lengths, within 40..215.
cv::Mat PhotoToDegrade(cv::Size size = {240, 260}) {
  cv::Mat photo(size, CV_8UC3);
  for (int y = 0; y < size.height; ++y) {
    for (int x = 0; x < size.width; ++x) {
      const double wave = 20 * std::sin(1.3 * x) + 20 * std::sin(x / 3.0) +  //
                          40 * std::sin(y / 17.0 + x / 29.0);
      photo.at<cv::Vec3b>(y, x) = {cv::saturate_cast<uchar>(125 + wave),
                                   cv::saturate_cast<uchar>(130 + wave),
                                   cv::saturate_cast<uchar>(135 + wave)};
    }
  }
  return photo;
}

cv::Mat DegradedBy(const std::string& name, uint64_t seed = 1) {
  RandomStream random(seed);
  const auto degradation = DegradationFromName(name);
  EXPECT_TRUE(degradation.ok()) << degradation.status();
  auto photo = Degrade(PhotoToDegrade(), kFaceInPhoto, *degradation, random);
  EXPECT_TRUE(photo.ok()) << photo.status();
  return *photo;
}

double Detail(const cv::Mat& photo) {
  cv::Mat edges;
  cv::Laplacian(photo, edges, CV_32F);
  cv::Scalar mean;
  cv::Scalar deviation;
  cv::meanStdDev(edges, mean, deviation);
  return deviation[1];
}

double MeanOf(const cv::Mat& photo) { return cv::mean(photo)[1]; }

double DeviationOf(const cv::Mat& photo) {
  cv::Scalar mean;
  cv::Scalar deviation;
  cv::meanStdDev(photo, mean, deviation);
  return deviation[1];
}

// Tells how many of the pixels around a point differ, 0..1.
double ShareChangedAround(const cv::Mat& photo, cv::Point2f point) {
  const cv::Rect place(cv::Point(point) - cv::Point(4, 4), cv::Size(9, 9));
  const cv::Mat difference = cv::abs(photo(place) - PhotoToDegrade()(place));
  return cv::countNonZero(difference.reshape(1) > 4) / static_cast<double>(3 * place.area());
}

TEST(DegradationTest, NamesOfAllCellsComeBack) {
  std::set<std::string> names;
  for (const Degradation& cell : DegradationCells()) {
    const std::string name = DegradationName(cell);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const Degradation read, DegradationFromName(name));
    EXPECT_EQ(read, cell) << name;
    names.insert(name);
  }
  EXPECT_EQ(names.size(), DegradationCells().size());
}

TEST(DegradationTest, CellsBeginWithTheCleanPhoto) {
  EXPECT_EQ(DegradationCells().front(), Degradation{});
}

TEST(DegradationTest, SaysWhichNamesThereAre) {
  const auto degradation = DegradationFromName("fog-3");
  EXPECT_THAT(degradation, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_NE(MessageOf(degradation.status()).find("shrink-enlarge-NUMBER"), std::string::npos);
}

TEST(DegradationTest, RefusesStrengthsThatAKindDoesNotHave) {
  for (const char* name : {"brightness-1.5", "brightness", "brightness-", "turn-45", "turn-360",
                           "jpeg-0", "blur-nan", "negative-1", "shrink-0", "hide-left-2", ""}) {
    EXPECT_THAT(DegradationFromName(name), StatusIs(StatusCode::kInvalidArgument)) << name;
  }
}

TEST(DegradationTest, EveryCellGivesAPhotoAndLeavesTheGivenOneAlone) {
  const cv::Mat photo = PhotoToDegrade();
  for (const Degradation& cell : DegradationCells()) {
    RandomStream random(1);
    const auto degraded = Degrade(photo, kFaceInPhoto, cell, random);
    ASSERT_TRUE(degraded.ok()) << degraded.status();
    EXPECT_EQ(degraded->type(), CV_8UC3) << DegradationName(cell);
    EXPECT_EQ(SamePixels(*degraded, photo), cell == Degradation{}) << DegradationName(cell);
    EXPECT_TRUE(SamePixels(photo, PhotoToDegrade())) << DegradationName(cell);
  }
}

TEST(DegradationTest, FollowsFromTheStreamAlone) {
  for (const char* name : {"noise-30", "motion-blur-20", "hide-left-0.5", "dark-glasses", "mask"}) {
    EXPECT_TRUE(SamePixels(DegradedBy(name, 5), DegradedBy(name, 5))) << name;
    EXPECT_FALSE(SamePixels(DegradedBy(name, 5), DegradedBy(name, 6))) << name;
  }
}

TEST(DegradationTest, TurnsClockwise) {
  const cv::Mat photo = PhotoToDegrade();
  const cv::Mat turned = DegradedBy("turn-90");
  EXPECT_EQ(turned.size(), cv::Size(260, 240));
  EXPECT_EQ(turned.at<cv::Vec3b>(0, 259), photo.at<cv::Vec3b>(0, 0));
  EXPECT_EQ(DegradedBy("turn-270").at<cv::Vec3b>(239, 0), photo.at<cv::Vec3b>(0, 0));
}

TEST(DegradationTest, LandmarksStayOnTheirPixels) {
  const cv::Mat photo = PhotoToDegrade();
  for (const char* name : {"turn-90", "turn-180", "turn-270", "negative"}) {
    const cv::Mat degraded = DegradedBy(name);
    const Landmarks moved = LandmarksAfter(*DegradationFromName(name), photo.size(), kFaceInPhoto);
    for (size_t i = 0; i < moved.size(); ++i) {
      const cv::Vec3b was = photo.at<cv::Vec3b>(cv::Point(kFaceInPhoto[i]));
      const cv::Vec3b is = degraded.at<cv::Vec3b>(cv::Point(moved[i]));
      EXPECT_EQ(is, name == std::string("negative") ? cv::Vec3b(255, 255, 255) - was : was)
          << name << " " << i;
    }
  }
}

TEST(DegradationTest, LandmarksShrinkWithThePhoto) {
  const Landmarks moved = LandmarksAfter(*DegradationFromName("shrink-130"), {240, 260},
                                         {{-0.5F, -0.5F}, {99.5F, 40.5F}});
  EXPECT_FLOAT_EQ(moved[0].x, -0.5F);
  EXPECT_FLOAT_EQ(moved[1].x, 49.5F);
  EXPECT_FLOAT_EQ(moved[1].y, 20.0F);
}

TEST(DegradationTest, ShrinksTheLongerSide) {
  EXPECT_EQ(DegradedBy("shrink-26").size(), cv::Size(24, 26));
}

TEST(DegradationTest, AnEnlargedPhotoHasItsSizeAndLittleDetail) {
  const cv::Mat degraded = DegradedBy("shrink-enlarge-40");
  EXPECT_EQ(degraded.size(), PhotoToDegrade().size());
  EXPECT_LT(Detail(degraded), 0.2 * Detail(PhotoToDegrade()));
}

TEST(DegradationTest, BrightnessAndContrastAreFactors) {
  const cv::Mat photo = PhotoToDegrade();
  EXPECT_NEAR(MeanOf(DegradedBy("brightness-0.3")), 0.3 * MeanOf(photo), 1.0);
  EXPECT_NEAR(MeanOf(DegradedBy("contrast-0.15")), MeanOf(photo), 1.0);
  EXPECT_NEAR(DeviationOf(DegradedBy("contrast-0.15")), 0.15 * DeviationOf(photo), 1.0);
}

TEST(DegradationTest, OverExposureEndsAtWhite) {
  const cv::Mat degraded = DegradedBy("over-exposure-3");
  EXPECT_GT(cv::countNonZero(degraded.reshape(1) == 255), static_cast<int>(degraded.total()));
}

TEST(DegradationTest, BlurAndMotionTakeDetail) {
  const double clean = Detail(PhotoToDegrade());
  const double little = Detail(DegradedBy("blur-1.5"));
  EXPECT_LT(little, clean);
  EXPECT_LT(Detail(DegradedBy("blur-4")), little);
  EXPECT_LT(Detail(DegradedBy("motion-blur-20")), clean);
  EXPECT_NEAR(MeanOf(DegradedBy("motion-blur-20")), MeanOf(PhotoToDegrade()), 1.5);
}

TEST(DegradationTest, NoiseHasItsDeviation) {
  cv::Mat noise;
  cv::subtract(DegradedBy("noise-10"), PhotoToDegrade(), noise, cv::noArray(), CV_32F);
  EXPECT_NEAR(DeviationOf(noise), 10.0, 0.5);
}

TEST(DegradationTest, HidesTheHalfThatItNames) {
  // Points that must be covered, and those that must not, by their numbers in Landmarks.
  const struct {
    const char* name;
    std::set<size_t> hidden;
    std::set<size_t> seen;
  } kCases[] = {{"hide-left-0.5", {0, 3}, {1, 4}},
                {"hide-right-0.5", {1, 4}, {0, 3}},
                {"hide-upper-0.5", {0, 1}, {3, 4}},
                {"hide-lower-0.5", {3, 4}, {0, 1}}};
  for (const auto& one : kCases) {
    for (uint64_t seed = 0; seed < 20; ++seed) {
      const cv::Mat degraded = DegradedBy(one.name, seed);
      for (const size_t i : one.hidden) {
        EXPECT_GT(ShareChangedAround(degraded, kFaceInPhoto[i]), 0.6) << one.name << seed;
      }
      for (const size_t i : one.seen) {
        EXPECT_EQ(ShareChangedAround(degraded, kFaceInPhoto[i]), 0.0) << one.name << seed;
      }
    }
  }
}

TEST(DegradationTest, GlassesDarkenTheEyesAndLeaveTheMouth) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const cv::Mat degraded = DegradedBy("dark-glasses", seed);
    for (const size_t eye : {0U, 1U}) {
      EXPECT_GT(ShareChangedAround(degraded, kFaceInPhoto[eye]), 0.6) << seed;
    }
    for (const size_t corner : {3U, 4U}) {
      EXPECT_EQ(ShareChangedAround(degraded, kFaceInPhoto[corner]), 0.0) << seed;
    }
  }
}

TEST(DegradationTest, AMaskCoversNoseAndMouthAndLeavesTheEyes) {
  for (uint64_t seed = 0; seed < 20; ++seed) {
    const cv::Mat degraded = DegradedBy("mask", seed);
    for (const size_t i : {2U, 3U, 4U}) {
      EXPECT_GT(ShareChangedAround(degraded, kFaceInPhoto[i]), 0.6) << seed;
    }
    for (const size_t eye : {0U, 1U}) {
      EXPECT_EQ(ShareChangedAround(degraded, kFaceInPhoto[eye]), 0.0) << seed;
    }
  }
}

TEST(DegradationTest, CoversTurnWithTheFace) {
  const Degradation turn{.kind = DegradationKind::kTurn, .strength = 90};
  RandomStream none(1);
  const cv::Mat photo = PhotoToDegrade();
  const auto turned = Degrade(photo, kFaceInPhoto, turn, none);
  ASSERT_TRUE(turned.ok());
  const Landmarks moved = LandmarksAfter(turn, photo.size(), kFaceInPhoto);
  RandomStream random(3);
  const auto glasses = Degrade(*turned, moved, {.kind = DegradationKind::kDarkGlasses}, random);
  ASSERT_TRUE(glasses.ok());
  EXPECT_NE(glasses->at<cv::Vec3b>(cv::Point(moved[0])),
            turned->at<cv::Vec3b>(cv::Point(moved[0])));
  EXPECT_EQ(glasses->at<cv::Vec3b>(cv::Point(moved[3])),
            turned->at<cv::Vec3b>(cv::Point(moved[3])));
}

TEST(DegradationTest, DrawsOnAlignedCropsAndBeyondTheBorder) {
  const auto points = TemplatePoints(AlignmentTemplate::kArcFace112);
  const cv::Mat crop = PhotoToDegrade({112, 112});
  for (const char* name : {"mask", "dark-glasses", "hide-left-0.5", "hide-lower-0.5"}) {
    for (const float away : {0.0F, 60.0F, 500.0F}) {
      Landmarks landmarks(points.begin(), points.end());
      for (cv::Point2f& point : landmarks) point += cv::Point2f(away, -away);
      RandomStream random(2);
      const auto degraded = Degrade(crop, landmarks, *DegradationFromName(name), random);
      ASSERT_TRUE(degraded.ok()) << degraded.status();
      EXPECT_EQ(SamePixels(*degraded, crop), away == 500.0F) << name << away;
    }
  }
}

TEST(DegradationTest, DrawsKindsForTrainingWithStrengthsOfTheirOwn) {
  const auto points = TemplatePoints(AlignmentTemplate::kArcFace112);
  const cv::Mat crop = PhotoToDegrade({112, 112});
  std::set<DegradationKind> kinds;
  std::set<double> strengths;
  for (uint64_t step = 0; step < 200; ++step) {
    RandomStream kind(1, step);
    RandomStream again(1, step);
    RandomStream strength(2, step);
    RandomStream other(3, step);
    const Degradation drawn = DrawDegradation(kind, strength);
    EXPECT_EQ(DrawDegradation(again, other).kind, drawn.kind);
    EXPECT_THAT(Degrade(crop, {points.begin(), points.end()}, drawn, other), IsOk());
    kinds.insert(drawn.kind);
    strengths.insert(drawn.strength);
  }
  EXPECT_EQ(kinds.size(), 13U);
  EXPECT_GT(strengths.size(), 50U);
}

TEST(DegradationTest, SaysThatACoverNeedsFiveLandmarks) {
  RandomStream random(1);
  EXPECT_THAT(Degrade(PhotoToDegrade(), {{1, 1}, {9, 1}}, {.kind = DegradationKind::kMask}, random),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(DegradationTest, RefusesPicturesOfAnotherKind) {
  RandomStream random(1);
  EXPECT_THAT(Degrade(cv::Mat(), kFaceInPhoto, {}, random), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(Degrade(cv::Mat(9, 9, CV_8UC1), kFaceInPhoto, {}, random),
              StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
