#include "face/detect/face_geometry.h"

#include <gmock/gmock.h>

#include <array>
#include <cmath>
#include <numbers>

#include "face/image/align.h"
#include "tests/support/fake_detector.h"

namespace facegate {
namespace {

std::array<cv::Point2f, 5> FrontalPoints() {
  std::array<cv::Point2f, 5> points;
  const auto average = TemplatePoints(AlignmentTemplate::kArcFace112);
  std::copy(average.begin(), average.end(), points.begin());
  return points;
}

TEST(FaceGeometryTest, SeesTheAverageFaceFromTheFront) {
  const auto points = FrontalPoints();
  EXPECT_NEAR(PoseOfLandmarks(points).yaw, 0, 1);
  EXPECT_NEAR(PoseOfLandmarks(points).pitch, 0, 1);
}

TEST(FaceGeometryTest, TakesANoseAsideForAYawAndALowOneForAPitch) {
  auto points = FrontalPoints();
  points[2].x += 10;
  EXPECT_GT(PoseOfLandmarks(points).yaw, 20);
  points[2].x -= 20;
  EXPECT_LT(PoseOfLandmarks(points).yaw, -20);
  points = FrontalPoints();
  points[2].y += 8;
  EXPECT_GT(PoseOfLandmarks(points).pitch, 15);
}

TEST(FaceGeometryTest, TakesPointsInOnePlaceForNoPose) {
  std::array<cv::Point2f, 5> points;
  points.fill({3, 3});
  EXPECT_EQ(PoseOfLandmarks(points).yaw, 90);
}

TEST(FaceGeometryTest, LeavesQuarterTurnsOutOfTheRoll) {
  DetectedFace face = facegate::FaceAt(0, 0);
  EXPECT_NEAR(RollOf(face), 0, 0.5);
  // The face lies on its side: the way from its left eye to the right one leads downwards.
  for (cv::Point2f& point : face.landmarks) point = {-point.y, point.x};
  EXPECT_NEAR(RollOf(face), 90, 0.5);
  face.quarter_turns = 3;
  EXPECT_NEAR(RollOf(face), 0, 0.5);
}

TEST(FaceGeometryTest, MeasuresHowMuchOfTheFaceIsInThePicture) {
  EXPECT_EQ(ShareInPicture(facegate::FaceAt(20, 20).landmarks, {200, 200}), 1.0);
  // The middle of the face, 56 pixels from the crop's edge, lies on the picture's.
  EXPECT_NEAR(ShareInPicture(facegate::FaceAt(-56, 20).landmarks, {200, 200}), 0.5, 0.04);
  EXPECT_EQ(ShareInPicture(facegate::FaceAt(-300, 20).landmarks, {200, 200}), 0.0);
}

}  // namespace
}  // namespace facegate
