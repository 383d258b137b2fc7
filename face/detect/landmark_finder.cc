#include "face/detect/landmark_finder.h"

#include <array>
#include <cmath>
#include <opencv2/core.hpp>
#include <utility>

namespace facegate {
namespace {

// The first look is at a frame that fits the face badly: it may be less sure.
constexpr double kFirstLookShare = 0.2;
// A frame that the first look moved or shrank further than this is no better word on the face.
constexpr double kLargestStep = 0.6;
constexpr double kLargestGrowth = 2.0;

// Five points in the frame's own coordinates and the confidence.
struct Look {
  std::array<cv::Point2d, 5> points;
  double confidence = 0.0;
};

Look LookOf(const LandmarkNet::Outputs& outputs) {
  Look look;
  for (size_t i = 0; i < look.points.size(); ++i) {
    look.points[i] =
        AverageFace()[i] + kLandmarkUnit * cv::Point2d(outputs[2 * i], outputs[2 * i + 1]);
  }
  look.confidence = 1 / (1 + std::exp(-double{outputs.back()}));
  return look;
}

StatusOr<Look> LookAt(LandmarkNet& net, const cv::Mat& picture, const FaceFrame& frame) {
  FACEGATE_ASSIGN_OR_RETURN(const LandmarkNet::Outputs outputs,
                            net.Run(CutFrame(picture, frame, kLandmarkCropSide)));
  return LookOf(outputs);
}

Landmarks InPicture(const FaceFrame& frame, const Look& look) {
  Landmarks points;
  points.reserve(look.points.size());
  for (const cv::Point2d& own : look.points) points.emplace_back(frame.ToPicture(own));
  return points;
}

// False for NaN too.
bool IsNear(const FaceFrame& frame, const FaceFrame& start) {
  const double growth = frame.side / start.side;
  return cv::norm(frame.centre - start.centre) < kLargestStep * start.side &&
         growth < kLargestGrowth && growth > 1 / kLargestGrowth;
}

}  // namespace

FaceFrame FrameOfBox(const LandmarkWeights& weights, const cv::Rect2d& box) {
  const std::vector<float>& way = weights.tensors.find(kBoxToFrame)->second.values;
  FaceFrame frame;
  frame.centre = {box.x + box.width * (0.5 + way[0]) - 0.5,
                  box.y + box.height / 2 + box.width * way[1] - 0.5};
  frame.side = box.width * way[2];
  return frame;
}

StatusOr<std::optional<FoundLandmarks>> FindLandmarks(LandmarkNet& net, const cv::Mat& picture,
                                                      const FaceFrame& start,
                                                      double least_confidence) {
  const std::optional<FoundLandmarks> nothing;
  FACEGATE_ASSIGN_OR_RETURN(const Look first, LookAt(net, picture, start));
  if (!(first.confidence >= kFirstLookShare * least_confidence)) return nothing;
  const StatusOr<FaceFrame> better = FrameOfLandmarks(InPicture(start, first));
  if (!better.ok() || !IsNear(*better, start)) return nothing;
  FACEGATE_ASSIGN_OR_RETURN(const Look second, LookAt(net, picture, *better));
  if (!(second.confidence >= least_confidence)) return nothing;
  FoundLandmarks found{
      .points = InPicture(*better, second), .frame = {}, .confidence = second.confidence};
  const StatusOr<FaceFrame> last = FrameOfLandmarks(found.points);
  if (!last.ok() || !IsNear(*last, *better)) return nothing;
  found.frame = *last;
  return std::optional<FoundLandmarks>(std::move(found));
}

}  // namespace facegate
