#include "face/detect/face_frame.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core/matx.hpp>
#include <opencv2/imgproc.hpp>
#include <vector>

#include "face/image/align.h"

namespace facegate {
namespace {

// The frame in ArcFace's crop of 112x112 pixels: its centre and side, pixels.
constexpr double kCentreX = 56.0;
constexpr double kCentreY = 72.0;
constexpr double kSide = 90.0;
constexpr uchar kMidGrey = 128;

// The pixels that the frame covers and a few more, inside the picture.
cv::Rect ShownPart(const FaceFrame& frame, const cv::Size& picture) {
  const double reach =
      frame.side / 2 * (std::abs(std::cos(frame.angle)) + std::abs(std::sin(frame.angle))) + 3;
  const auto clip = [](double value, int limit) {
    return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(limit)));
  };
  const cv::Point top_left(clip(std::floor(frame.centre.x - reach), picture.width),
                           clip(std::floor(frame.centre.y - reach), picture.height));
  const cv::Point bottom_right(clip(std::ceil(frame.centre.x + reach) + 1, picture.width),
                               clip(std::ceil(frame.centre.y + reach) + 1, picture.height));
  return {top_left, bottom_right};
}

// Averages blocks of `block` × `block` pixels; the last ones are filled up with the edge.
cv::Mat AverageBlocks(const cv::Mat& part, int block) {
  cv::Mat padded;
  cv::copyMakeBorder(part, padded, 0, (block - part.rows % block) % block, 0,
                     (block - part.cols % block) % block, cv::BORDER_REPLICATE);
  cv::Mat averaged;
  cv::resize(padded, averaged, {padded.cols / block, padded.rows / block}, 0, 0, cv::INTER_AREA);
  return averaged;
}

}  // namespace

cv::Point2d FaceFrame::ToPicture(const cv::Point2d& own) const {
  const double x = (own.x - 0.5) * side;
  const double y = (own.y - 0.5) * side;
  return {centre.x + std::cos(angle) * x - std::sin(angle) * y,
          centre.y + std::sin(angle) * x + std::cos(angle) * y};
}

cv::Point2d FaceFrame::FromPicture(const cv::Point2d& point) const {
  const cv::Point2d way = (point - centre) / side;
  return {0.5 + std::cos(angle) * way.x + std::sin(angle) * way.y,
          0.5 - std::sin(angle) * way.x + std::cos(angle) * way.y};
}

const std::array<cv::Point2d, 5>& AverageFace() {
  static const std::array<cv::Point2d, 5> points = [] {
    std::array<cv::Point2d, 5> own;
    const auto crop = TemplatePoints(AlignmentTemplate::kArcFace112);
    std::transform(crop.begin(), crop.end(), own.begin(), [](const cv::Point2f& point) {
      return cv::Point2d((point.x - kCentreX) / kSide + 0.5, (point.y - kCentreY) / kSide + 0.5);
    });
    return own;
  }();
  return points;
}

StatusOr<FaceFrame> FrameOfLandmarks(std::span<const cv::Point2f> landmarks) {
  const std::vector<cv::Point2f> average(AverageFace().begin(), AverageFace().end());
  FACEGATE_ASSIGN_OR_RETURN(const cv::Matx23d to_picture, EstimateSimilarity(average, landmarks));
  FaceFrame frame;
  frame.centre = {(to_picture(0, 0) + to_picture(0, 1)) * 0.5 + to_picture(0, 2),
                  (to_picture(1, 0) + to_picture(1, 1)) * 0.5 + to_picture(1, 2)};
  frame.side = std::hypot(to_picture(0, 0), to_picture(1, 0));
  frame.angle = std::atan2(to_picture(1, 0), to_picture(0, 0));
  return frame;
}

cv::Mat CutFrame(const cv::Mat& picture, const FaceFrame& frame, int size) {
  const cv::Rect shown = ShownPart(frame, picture.size());
  if (shown.empty()) return {size, size, CV_8UC1, cv::Scalar(kMidGrey)};
  const double pixel = frame.side / size;  // of the crop, in pixels of the picture
  const double largest_block = std::min(shown.width, shown.height);
  const int block = static_cast<int>(std::clamp(std::floor(pixel), 1.0, largest_block));
  const cv::Mat part = block == 1 ? picture(shown) : AverageBlocks(picture(shown), block);
  // Pixel i of `part` is centred on pixel block · i + (block - 1) / 2 + corner of the picture;
  // pixel i of the crop on (i + 1/2) / size of the frame.
  const double half = (block - 1) / 2.0;
  const cv::Point2d first = frame.ToPicture({0.5 / size, 0.5 / size});
  const double along = std::cos(frame.angle) * pixel / block;
  const double across = std::sin(frame.angle) * pixel / block;
  const cv::Matx23d crop_to_part(along, -across, (first.x - shown.x - half) / block,  //
                                 across, along, (first.y - shown.y - half) / block);
  cv::Mat crop;
  cv::warpAffine(part, crop, crop_to_part, {size, size}, cv::INTER_LINEAR | cv::WARP_INVERSE_MAP,
                 cv::BORDER_REPLICATE);
  return crop;
}

}  // namespace facegate
