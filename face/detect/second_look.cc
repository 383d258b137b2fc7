#include "face/detect/second_look.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <utility>
#include <vector>

#include "face/detect/face_frame.h"
#include "face/image/align.h"

namespace facegate {
namespace {

const FaceFrame& TemplateFrame() {
  static const FaceFrame frame =
      FrameOfLandmarks(TemplatePoints(AlignmentTemplate::kArcFace112)).value_or(FaceFrame());
  return frame;
}

}  // namespace

cv::Mat CutAlignedFrame(const cv::Mat& grey_crop) {
  return CutFrame(grey_crop, TemplateFrame(), kLandmarkCropSide);
}

StatusOr<SecondLook> LookAgain(LandmarkNet& net, const cv::Mat& frame) {
  FACEGATE_ASSIGN_OR_RETURN(const LandmarkNet::Outputs outputs, net.Run(frame));
  SecondLook look;
  look.presence = 1 / (1 + std::exp(-double{outputs.back()}));
  for (size_t i = 0; i < look.points.size(); ++i) {
    look.points[i] = TemplateFrame().ToPicture(
        AverageFace()[i] + kLandmarkUnit * cv::Point2d(outputs[2 * i], outputs[2 * i + 1]));
  }
  return look;
}

double LandmarkMisfit(const SecondLook& look, std::span<const cv::Point2f> landmarks) {
  const auto average = TemplatePoints(AlignmentTemplate::kArcFace112);
  const double eyes = cv::norm(average[1] - average[0]);
  const size_t count = std::min(landmarks.size(), look.points.size());
  if (count == 0) return 1.0;
  double sum = 0;
  for (size_t i = 0; i < count; ++i) sum += cv::norm(landmarks[i] - look.points[i]);
  return sum / static_cast<double>(count) / eyes;
}

StatusOr<AlignedView> ViewOfFace(const Image& image, const Landmarks& landmarks) {
  FACEGATE_ASSIGN_OR_RETURN(AlignedFace crop,
                            AlignFace(image, landmarks, AlignmentTemplate::kArcFace112));
  const auto targets = std::span<const cv::Point2f>(TemplatePoints(AlignmentTemplate::kArcFace112))
                           .first(landmarks.size());
  FACEGATE_ASSIGN_OR_RETURN(const cv::Matx23d to_crop, EstimateSimilarity(landmarks, targets));
  AlignedView view{.crop = std::move(crop), .landmarks = {}};
  view.landmarks.reserve(landmarks.size());
  for (const cv::Point2f& point : landmarks) {
    const cv::Vec3d one(point.x, point.y, 1.0);
    const cv::Vec2d moved = to_crop * one;
    view.landmarks.emplace_back(static_cast<float>(moved[0]), static_cast<float>(moved[1]));
  }
  return view;
}

}  // namespace facegate
