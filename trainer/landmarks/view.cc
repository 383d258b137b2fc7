#include "trainer/landmarks/view.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <opencv2/imgproc.hpp>
#include <utility>

#include "face/base/catch.h"
#include "face/detect/landmark_net.h"

namespace facegate {
namespace {

constexpr double kDegree = std::numbers::pi / 180;
constexpr std::array<size_t, 5> kMirrored = {1, 0, 2, 4, 3};

// The frame moved by shares of its side, scaled and turned, in this order.
struct Move {
  cv::Point2d shift;
  double scale = 1.0;
  double angle = 0.0;
};

FaceFrame Moved(const FaceFrame& frame, const Move& move) {
  return {.centre = frame.ToPicture(cv::Point2d(0.5, 0.5) + move.shift),
          .side = frame.side * move.scale,
          .angle = frame.angle + move.angle};
}

Move CoarseMove(RandomStream& random) {
  Move move;
  move.shift = {random.Uniform(-0.16, 0.16), random.Uniform(-0.16, 0.16)};
  move.scale = std::exp(random.Uniform(-0.22, 0.22));
  move.angle = kDegree * random.Uniform(-25, 25);
  return move;
}

Move FineMove(RandomStream& random) {
  Move move;
  move.shift = {0.03 * random.Normal(), 0.03 * random.Normal()};
  move.scale = std::exp(0.05 * random.Normal());
  move.angle = kDegree * 4 * random.Normal();
  return move;
}

// Beside the face, or a part of it, or the face as a small part.
Move BadMove(RandomStream& random) {
  Move move;
  move.angle = kDegree * random.Uniform(-20, 20);
  const double kind = random.Uniform();
  if (kind < 0.4) {
    move.scale = std::exp(random.Uniform(-0.9, 0.3));
    const double direction = random.Uniform(0, 2 * std::numbers::pi);
    const double way = random.Uniform(0.55, 0.9);
    move.shift = {way * std::cos(direction), way * std::sin(direction)};
  } else if (kind < 0.8) {
    move.scale = random.Uniform(0.2, 0.5);
    move.shift = {random.Uniform(-0.4, 0.4), random.Uniform(-0.4, 0.4)};
  } else {
    move.scale = random.Uniform(1.9, 2.4);
    move.shift = {random.Uniform(-0.3, 0.3), random.Uniform(-0.3, 0.3)};
  }
  return move;
}

void Gamma(cv::Mat& crop, double exponent) {
  cv::Mat table(1, 256, CV_8UC1);
  for (int i = 0; i < table.cols; ++i) {
    table.at<uchar>(0, i) = cv::saturate_cast<uchar>(255 * std::pow(i / 255.0, exponent));
  }
  cv::LUT(crop, table, crop);
}

// Brighter at one side.
void SideLight(cv::Mat& crop, RandomStream& random) {
  const double direction = random.Uniform(0, 2 * std::numbers::pi);
  const double strength = random.Uniform(0, 0.8);
  const double half = crop.rows / 2.0;
  for (int row = 0; row < crop.rows; ++row) {
    auto* const pixels = crop.ptr<uchar>(row);
    for (int column = 0; column < crop.cols; ++column) {
      const double way = std::cos(direction) * (column - half) + std::sin(direction) * (row - half);
      pixels[column] = cv::saturate_cast<uchar>(pixels[column] * (1 + strength * way / half));
    }
  }
}

void LowResolution(cv::Mat& crop, RandomStream& random) {
  const int side = 16 + static_cast<int>(random.Below(33));
  cv::Mat small;
  cv::resize(crop, small, {side, side}, 0, 0, cv::INTER_AREA);
  cv::resize(small, crop, crop.size(), 0, 0, cv::INTER_LINEAR);
}

void Noise(cv::Mat& crop, double deviation, RandomStream& random) {
  for (int row = 0; row < crop.rows; ++row) {
    auto* const pixels = crop.ptr<uchar>(row);
    for (int column = 0; column < crop.cols; ++column) {
      pixels[column] = cv::saturate_cast<uchar>(pixels[column] + deviation * random.Normal());
    }
  }
}

// A rectangle of one grey or of noise in front of the face.
void Occlude(cv::Mat& crop, RandomStream& random) {
  const auto width = static_cast<int>(crop.cols * random.Uniform(0.12, 0.5));
  const auto height = static_cast<int>(crop.rows * random.Uniform(0.12, 0.5));
  const cv::Rect place(static_cast<int>(random.Below(static_cast<uint64_t>(crop.cols - width))),
                       static_cast<int>(random.Below(static_cast<uint64_t>(crop.rows - height))),
                       width, height);
  cv::Mat part = crop(place);
  part.setTo(static_cast<double>(random.Below(256)));
  if (random.Chance(0.5)) Noise(part, 60, random);
}

void ChangeLook(cv::Mat& crop, RandomStream& random) {
  if (random.Chance(0.2)) LowResolution(crop, random);
  if (random.Chance(0.25)) cv::GaussianBlur(crop, crop, {5, 5}, random.Uniform(0.3, 1.5));
  if (random.Chance(0.5)) Gamma(crop, std::exp(random.Uniform(-0.6, 0.6)));
  if (random.Chance(0.35)) SideLight(crop, random);
  if (random.Chance(0.2)) Occlude(crop, random);
  if (random.Chance(0.35)) Noise(crop, random.Uniform(1, 12), random);
}

StatusOr<LandmarkView> ViewOf(const std::string& jpeg, const FaceFrame& frame, ViewJitter jitter,
                              RandomStream& random) {
  FACEGATE_ASSIGN_OR_RETURN(const cv::Mat patch, DecodePatch(jpeg));
  return CatchToStatus("drawing a view", [&]() -> StatusOr<LandmarkView> {
    LandmarkView view;
    view.crop = CutFrame(patch, frame, kLandmarkCropSide);
    if (jitter != ViewJitter::kPlain) ChangeLook(view.crop, random);
    return view;
  });
}

}  // namespace

StatusOr<LandmarkView> FaceView(const LandmarkSample& sample, const FaceViewOptions& options,
                                RandomStream& random) {
  FACEGATE_ASSIGN_OR_RETURN(const FaceFrame own, FrameOfLandmarks(sample.points));
  const FaceFrame frame =
      Moved(own, options.jitter == ViewJitter::kCoarse ? CoarseMove(random) : FineMove(random));
  FACEGATE_ASSIGN_OR_RETURN(LandmarkView view, ViewOf(sample.jpeg, frame, options.jitter, random));
  view.face = true;
  if (options.mirrored) cv::flip(view.crop, view.crop, 1);
  for (size_t i = 0; i < kMirrored.size(); ++i) {
    cv::Point2d point = frame.FromPicture(sample.points[options.mirrored ? kMirrored[i] : i]);
    if (options.mirrored) point.x = 1 - point.x;
    const cv::Point2d target = (point - AverageFace()[i]) / kLandmarkUnit;
    view.target[2 * i] = static_cast<float>(target.x);
    view.target[2 * i + 1] = static_cast<float>(target.y);
  }
  return view;
}

StatusOr<LandmarkView> BadView(const LandmarkSample& sample, RandomStream& random) {
  FACEGATE_ASSIGN_OR_RETURN(const FaceFrame own, FrameOfLandmarks(sample.points));
  return ViewOf(sample.jpeg, Moved(own, BadMove(random)), ViewJitter::kCoarse, random);
}

StatusOr<LandmarkView> NegativeView(const NegativeSample& sample, RandomStream& random) {
  FaceFrame frame;
  frame.centre = (sample.box.tl() + sample.box.br()) * 0.5 - cv::Point2d(0.5, 0.5);
  frame.side = sample.box.width;
  StatusOr<LandmarkView> view =
      ViewOf(sample.jpeg, Moved(frame, CoarseMove(random)), ViewJitter::kCoarse, random);
  if (view.ok() && random.Chance(0.5)) cv::flip(view->crop, view->crop, 1);
  return view;
}

}  // namespace facegate
