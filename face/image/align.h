#pragma once

#include <opencv2/core/matx.hpp>
#include <opencv2/core/types.hpp>
#include <optional>
#include <span>
#include <string_view>

#include "face/base/status.h"
#include "face/image/image.h"

namespace facegate {

// Says where the landmarks of an aligned face lie. Names (AlignmentName) are stored in model cards:
// do not change them.
enum class AlignmentTemplate {
  kArcFace112,  // 112 wide, 112 high; InsightFace's template: the SphereFace one moved 8 px to the
                // right
  kSphereFace96x112  // 96 wide, 112 high; SphereFace's template
};

// "arcface-112x112", "sphereface-96x112".
std::string_view AlignmentName(AlignmentTemplate alignment);
std::optional<AlignmentTemplate> AlignmentFromName(std::string_view name);

// Width and height of a crop.
cv::Size CropSize(AlignmentTemplate alignment);

// The five target points in pixels of the crop, in the order of Landmarks.
std::span<const cv::Point2f, 5> TemplatePoints(AlignmentTemplate alignment);

// The least-squares similarity transform (rotation, uniform scale, translation, no reflection;
// Umeyama 1991) that moves `from` onto `to`; two or more points, equally many. As a 2×3 matrix.
// kNoFace when the points coincide or are not finite.
StatusOr<cv::Matx23d> EstimateSimilarity(std::span<const cv::Point2f> from,
                                         std::span<const cv::Point2f> to);

// Warps `image` so that the landmarks (5, or 2 eyes) fall on the template: bilinear, black outside
// the picture. Where the crop shows the face at half its size or smaller, whole blocks of pixels
// are averaged first: bilinear interpolation alone would skip pixels and alias. kNoFace when the
// landmarks give no transform or the face lies outside the picture. Thread-safe.
StatusOr<AlignedFace> AlignFace(const Image& image, const Landmarks& landmarks,
                                AlignmentTemplate alignment);

// A view of a face for training that cuts crops at random places: the crop of a template in the
// middle, and around it what the picture shows there.
struct CropView {
  AlignmentTemplate alignment = AlignmentTemplate::kArcFace112;
  cv::Size size = CropSize(AlignmentTemplate::kArcFace112);  // that crop's to kMostViewSide

  // Where the crop lies in the view: half a pixel to the left, or up, where no pixel is the middle.
  cv::Rect middle() const;
};

constexpr int kMostViewSide = 1024;  // pixels

// kInvalidArgument where the view's size is out of range.
Status CheckView(const CropView& view);

// Cuts out a view, 8-bit BGR, whose middle has the very pixels that AlignFace() gives. Errors are
// those of AlignFace() and of CheckView(). Thread-safe.
StatusOr<cv::Mat> CutView(const Image& image, const Landmarks& landmarks, const CropView& view);

}  // namespace facegate
