#include "face/detect/face_geometry.h"

#include <cmath>
#include <numbers>
#include <opencv2/core.hpp>

#include "face/image/align.h"

namespace facegate {
namespace {

constexpr double kDegree = std::numbers::pi / 180;
// These are in distances of the eyes: how far the nose stands out, and how far the mouth is from
// the eyes.
constexpr double kNoseHeight = 0.5;
constexpr double kEyesToMouth = 1.15;
// The nose lies here on the way from the eyes to the mouth.
constexpr double kNosePlace = 0.495;
constexpr double kQuarter = 90.0;
constexpr double kTurn = 360.0;

// The frame in ArcFace's crop (face_frame.cc), pixels.
constexpr double kLeft = 11;
constexpr double kTop = 27;
constexpr double kSide = 90;
constexpr int kSteps = 16;

}  // namespace

HeadPose PoseOfLandmarks(std::span<const cv::Point2f, 5> landmarks) {
  const cv::Point2d eyes = (landmarks[0] + landmarks[1]) / 2;
  const cv::Point2d mouth = (landmarks[3] + landmarks[4]) / 2;
  const cv::Point2d across = landmarks[1] - landmarks[0];
  const double distance = cv::norm(across);
  const cv::Point2d down = mouth - eyes;
  const double height = cv::norm(down);
  if (!(distance > 0) || !(height > 0)) return {.yaw = kQuarter, .pitch = kQuarter};
  const cv::Point2d nose = cv::Point2d(landmarks[2]) - eyes;
  const double place = nose.dot(down) / (height * height);
  const double aside = (nose - place * down).dot(across) / (distance * distance);
  return {.yaw = std::atan(aside / kNoseHeight) / kDegree,
          .pitch = std::atan((place - kNosePlace) * kEyesToMouth / kNoseHeight) / kDegree};
}

double RollOf(const DetectedFace& face) {
  const auto targets = std::span<const cv::Point2f>(TemplatePoints(AlignmentTemplate::kArcFace112))
                           .first(face.landmarks.size());
  const auto to_picture = EstimateSimilarity(targets, face.landmarks);
  if (!to_picture.ok()) return 2 * kQuarter;
  const double angle = std::atan2((*to_picture)(1, 0), (*to_picture)(0, 0)) / kDegree;
  return std::remainder(angle + kQuarter * face.quarter_turns, kTurn);
}

double ShareInPicture(const Landmarks& landmarks, const cv::Size& picture) {
  const auto targets = std::span<const cv::Point2f>(TemplatePoints(AlignmentTemplate::kArcFace112))
                           .first(landmarks.size());
  const auto to_picture = EstimateSimilarity(targets, landmarks);
  if (!to_picture.ok()) return 0.0;
  int inside = 0;
  for (int row = 0; row < kSteps; ++row) {
    for (int column = 0; column < kSteps; ++column) {
      const cv::Vec3d own(kLeft + kSide * (column + 0.5) / kSteps,
                          kTop + kSide * (row + 0.5) / kSteps, 1.0);
      const cv::Vec2d point = *to_picture * own;
      inside += point[0] >= -0.5 && point[1] >= -0.5 && point[0] <= picture.width - 0.5 &&
                        point[1] <= picture.height - 0.5
                    ? 1
                    : 0;
    }
  }
  return static_cast<double>(inside) / (kSteps * kSteps);
}

}  // namespace facegate
