#include "face/image/align.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <complex>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "face/base/catch.h"

namespace facegate {
namespace {

using FivePoints = std::array<cv::Point2f, 5>;

const FivePoints& SphereFacePoints() {
  static const FivePoints points = {{{30.2946f, 51.6963f},
                                     {65.5318f, 51.5014f},
                                     {48.0252f, 71.7366f},
                                     {33.5493f, 92.3655f},
                                     {62.7299f, 92.2041f}}};
  return points;
}

const FivePoints& ArcFacePoints() {
  static const FivePoints points = {{{38.2946f, 51.6963f},
                                     {73.5318f, 51.5014f},
                                     {56.0252f, 71.7366f},
                                     {41.5493f, 92.3655f},
                                     {70.7299f, 92.2041f}}};
  return points;
}

// Two points closer than this are one, pixels.
constexpr double kSmallestSpread = 1e-3;
// Landmarks are floats: a face shown at a quarter of its size comes out as 3.9999.
constexpr double kRoundingSlack = 0.01;

using Complex = std::complex<double>;

Complex ToComplex(const cv::Point2f& point) { return {point.x, point.y}; }

Complex Mean(std::span<const cv::Point2f> points) {
  Complex sum = 0;
  for (const cv::Point2f& point : points) sum += ToComplex(point);
  return sum / static_cast<double>(points.size());
}

bool AllFinite(std::span<const cv::Point2f> points) {
  return std::all_of(points.begin(), points.end(), [](const cv::Point2f& point) {
    return std::isfinite(point.x) && std::isfinite(point.y);
  });
}

cv::Point2d Apply(const cv::Matx23d& matrix, double x, double y) {
  return {matrix(0, 0) * x + matrix(0, 1) * y + matrix(0, 2),
          matrix(1, 0) * x + matrix(1, 1) * y + matrix(1, 2)};
}

cv::Matx23d Invert(const cv::Matx23d& matrix) {
  cv::Matx23d inverse;
  cv::invertAffineTransform(matrix, inverse);
  return inverse;
}

// The part of the picture that the crop shows, with two pixels to spare for interpolation.
cv::Rect ShownPart(const cv::Matx23d& to_picture, cv::Size crop, cv::Size picture) {
  cv::Point2d low(1e30, 1e30);
  cv::Point2d high(-1e30, -1e30);
  for (const int x : {-1, crop.width}) {
    for (const int y : {-1, crop.height}) {
      const cv::Point2d corner = Apply(to_picture, x, y);
      low = {std::min(low.x, corner.x), std::min(low.y, corner.y)};
      high = {std::max(high.x, corner.x), std::max(high.y, corner.y)};
    }
  }
  const auto clip = [](double value, int limit) {
    return static_cast<int>(std::clamp(value, 0.0, static_cast<double>(limit)));
  };
  const cv::Point top_left(clip(std::floor(low.x) - 2, picture.width),
                           clip(std::floor(low.y) - 2, picture.height));
  const cv::Point bottom_right(clip(std::ceil(high.x) + 3, picture.width),
                               clip(std::ceil(high.y) + 3, picture.height));
  return {top_left, bottom_right};
}

// Averages blocks of `block` × `block` pixels; what a block has outside `part` is black.
cv::Mat AverageBlocks(const cv::Mat& part, int block) {
  cv::Mat padded;
  cv::copyMakeBorder(part, padded, 0, (block - part.rows % block) % block, 0,
                     (block - part.cols % block) % block, cv::BORDER_CONSTANT);
  cv::Mat averaged;
  cv::resize(padded, averaged, {padded.cols / block, padded.rows / block}, 0, 0, cv::INTER_AREA);
  return averaged;
}

StatusOr<AlignedFace> Warp(const cv::Mat& picture, const cv::Matx23d& to_crop, cv::Size crop) {
  const cv::Rect shown = ShownPart(Invert(to_crop), crop, picture.size());
  if (shown.empty()) {
    return Refuse(Reason::kNoFace, fmt::format("the face lies outside the picture of {}x{} pixels",
                                               picture.cols, picture.rows));
  }
  const double shrinking = 1 / std::hypot(to_crop(0, 0), to_crop(1, 0));
  const double largest_block = std::min(shown.width, shown.height);
  const int block =
      static_cast<int>(std::clamp(std::floor(shrinking + kRoundingSlack), 1.0, largest_block));
  const cv::Mat part = block == 1 ? picture(shown) : AverageBlocks(picture(shown), block);
  // Pixel i of `part` is centred on pixel block · i + (block - 1) / 2 + corner of the picture.
  const double half = (block - 1) / 2.0;
  const cv::Point2d origin = Apply(to_crop, shown.x + half, shown.y + half);
  const cv::Matx23d part_to_crop(to_crop(0, 0) * block, to_crop(0, 1) * block, origin.x,
                                 to_crop(1, 0) * block, to_crop(1, 1) * block, origin.y);
  AlignedFace face;
  cv::warpAffine(part, face.bgr, part_to_crop, crop, cv::INTER_LINEAR, cv::BORDER_CONSTANT);
  return face;
}

// Moves the landmarks onto the template.
StatusOr<cv::Matx23d> ToCrop(const Landmarks& landmarks, AlignmentTemplate alignment) {
  if (landmarks.size() != 2 && landmarks.size() != 5) {
    return Refuse(
        Reason::kNoFace,
        fmt::format("the face has {} landmarks; alignment needs 5, or 2 eyes", landmarks.size()));
  }
  const auto targets =
      std::span<const cv::Point2f>(TemplatePoints(alignment)).first(landmarks.size());
  return EstimateSimilarity(landmarks, targets);
}

}  // namespace

std::string_view AlignmentName(AlignmentTemplate alignment) {
  switch (alignment) {
    case AlignmentTemplate::kArcFace112:
      return "arcface-112x112";
    case AlignmentTemplate::kSphereFace96x112:
      return "sphereface-96x112";
  }
  return "unknown";
}

std::optional<AlignmentTemplate> AlignmentFromName(std::string_view name) {
  for (const AlignmentTemplate alignment :
       {AlignmentTemplate::kArcFace112, AlignmentTemplate::kSphereFace96x112}) {
    if (name == AlignmentName(alignment)) return alignment;
  }
  return std::nullopt;
}

cv::Size CropSize(AlignmentTemplate alignment) {
  return alignment == AlignmentTemplate::kArcFace112 ? cv::Size(112, 112) : cv::Size(96, 112);
}

std::span<const cv::Point2f, 5> TemplatePoints(AlignmentTemplate alignment) {
  return alignment == AlignmentTemplate::kArcFace112 ? ArcFacePoints() : SphereFacePoints();
}

// A similarity is z -> a·z + b with points as complex numbers, and the least squares are solved by
// a = Σ conj(p)·q / Σ |p|² over the centred points p and q. For proper rotations in the plane this
// equals Umeyama's solution, also where that one flips a singular vector to avoid a reflection.
StatusOr<cv::Matx23d> EstimateSimilarity(std::span<const cv::Point2f> from,
                                         std::span<const cv::Point2f> to) {
  if (from.size() < 2 || from.size() != to.size()) {
    return Refuse(Reason::kNoFace,
                  fmt::format("{} and {} landmarks give no transform", from.size(), to.size()));
  }
  if (!AllFinite(from) || !AllFinite(to)) {
    return Refuse(Reason::kNoFace, "the landmarks are not finite");
  }
  const Complex from_mean = Mean(from);
  const Complex to_mean = Mean(to);
  Complex product = 0;
  double spread = 0;
  for (size_t i = 0; i < from.size(); ++i) {
    const Complex p = ToComplex(from[i]) - from_mean;
    product += std::conj(p) * (ToComplex(to[i]) - to_mean);
    spread += std::norm(p);
  }
  const Complex a = spread > 0 ? product / spread : Complex(0);
  if (spread < kSmallestSpread * kSmallestSpread || !(std::abs(a) > 0) ||
      !std::isfinite(std::abs(a))) {
    return Refuse(Reason::kNoFace, "the landmarks coincide");
  }
  const Complex b = to_mean - a * from_mean;
  return cv::Matx23d(a.real(), -a.imag(), b.real(), a.imag(), a.real(), b.imag());
}

StatusOr<AlignedFace> AlignFace(const Image& image, const Landmarks& landmarks,
                                AlignmentTemplate alignment) {
  FACEGATE_ASSIGN_OR_RETURN(const cv::Matx23d to_crop, ToCrop(landmarks, alignment));
  return CatchToStatus("aligning a face",
                       [&] { return Warp(image.bgr, to_crop, CropSize(alignment)); });
}

cv::Rect CropView::middle() const {
  const cv::Size crop = CropSize(alignment);
  return {(size.width - crop.width) / 2, (size.height - crop.height) / 2, crop.width, crop.height};
}

Status CheckView(const CropView& view) {
  const cv::Size crop = CropSize(view.alignment);
  if (view.size.width >= crop.width && view.size.height >= crop.height &&
      view.size.width <= kMostViewSide && view.size.height <= kMostViewSide) {
    return OkStatus();
  }
  return InvalidArgument(fmt::format("a view of {} x {} pixels, expected {} x {} to {} x {}",
                                     view.size.width, view.size.height, crop.width, crop.height,
                                     kMostViewSide, kMostViewSide));
}

StatusOr<cv::Mat> CutView(const Image& image, const Landmarks& landmarks, const CropView& view) {
  FACEGATE_RETURN_IF_ERROR(CheckView(view));
  FACEGATE_ASSIGN_OR_RETURN(const AlignedFace face, AlignFace(image, landmarks, view.alignment));
  if (view.size == CropSize(view.alignment)) return face.bgr;
  FACEGATE_ASSIGN_OR_RETURN(cv::Matx23d to_view, ToCrop(landmarks, view.alignment));
  const cv::Rect middle = view.middle();
  to_view(0, 2) += middle.x;
  to_view(1, 2) += middle.y;
  return CatchToStatus("cutting out a view of a face", [&]() -> StatusOr<cv::Mat> {
    FACEGATE_ASSIGN_OR_RETURN(const AlignedFace whole, Warp(image.bgr, to_view, view.size));
    // The larger part of the picture is averaged and rounded a little otherwise.
    face.bgr.copyTo(whole.bgr(middle));
    return whole.bgr;
  });
}

}  // namespace facegate
