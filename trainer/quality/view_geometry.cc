#include "trainer/quality/view_geometry.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numbers>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <span>
#include <vector>

#include "face/image/align.h"
#include "face/image/quarter_turns.h"

namespace facegate {
namespace {

constexpr double kDegree = std::numbers::pi / 180;
constexpr int kPieces = 4;  // in a row
constexpr double kPieceShare = 0.35;
constexpr double kPartShare = 0.75;  // below: a part of the face; above: waves

struct Move {
  double angle = 0.0;  // radians
  double scale = 1.0;
  cv::Point2d shift;  // pixels
};

void Warp(const Move& move, int border, cv::Mat& crop) {
  // About the middle of the face.
  const cv::Point2d centre(crop.cols / 2.0, 0.64 * crop.rows);
  const double along = move.scale * std::cos(move.angle);
  const double across = move.scale * std::sin(move.angle);
  const cv::Matx23d matrix(
      along, -across, centre.x + move.shift.x - along * centre.x + across * centre.y,  //
      across, along, centre.y + move.shift.y - across * centre.x - along * centre.y);
  cv::Mat moved;
  cv::warpAffine(crop, moved, matrix, crop.size(), cv::INTER_LINEAR, border);
  crop = moved;
}

int AnyBorder(RandomStream& random) {
  return random.Chance(0.3) ? cv::BORDER_CONSTANT : cv::BORDER_REFLECT_101;
}

void Shuffle(RandomStream& random, cv::Mat& crop) {
  std::array<int, size_t{kPieces} * kPieces> order{};
  for (size_t i = 0; i < order.size(); ++i) order[i] = static_cast<int>(i);
  random.Shuffle(std::span(order));
  const cv::Size piece(crop.cols / kPieces, crop.rows / kPieces);
  const auto place = [&](int i) {
    return cv::Rect(cv::Point(i % kPieces * piece.width, i / kPieces * piece.height), piece);
  };
  const cv::Mat source = crop.clone();
  for (size_t i = 0; i < order.size(); ++i) {
    source(place(order[i])).copyTo(crop(place(static_cast<int>(i))));
  }
}

void DrawWaves(RandomStream& random, cv::Mat& crop) {
  const double across = random.Uniform(2, 30);
  const double down = random.Uniform(2, 30);
  const double strength = random.Uniform(5, 90);
  const double grey = random.Uniform(40, 200);
  for (int y = 0; y < crop.rows; ++y) {
    for (int x = 0; x < crop.cols; ++x) {
      const double value = grey + strength * (std::sin(x / across) + std::cos(y / down));
      crop.at<cv::Vec3b>(y, x) = cv::Vec3b::all(cv::saturate_cast<uchar>(value));
    }
  }
}

}  // namespace

void TurnByQuarters(RandomStream& random, cv::Mat& crop) {
  crop = TurnedByQuarters(crop, 1 + static_cast<int>(random.Below(3)));
}

void Misalign(RandomStream& random, cv::Mat& crop) {
  const double side = crop.cols;
  const bool strong = random.Chance(0.6);
  const double turn = strong ? 180 : 40;
  Warp({.angle = kDegree * random.Uniform(-turn, turn),
        .scale = std::exp(random.Uniform(-0.7, 0.7)),
        .shift = {side * random.Uniform(-0.3, 0.3), side * random.Uniform(-0.3, 0.3)}},
       AnyBorder(random), crop);
}

void Jitter(double deviation, RandomStream& random, cv::Mat& crop) {
  const auto points = TemplatePoints(AlignmentTemplate::kArcFace112);
  const double eyes = cv::norm(points[1] - points[0]);
  std::vector<cv::Point2f> off(points.begin(), points.end());
  for (cv::Point2f& point : off) {
    point.x += static_cast<float>(eyes * deviation * random.Normal());
    point.y += static_cast<float>(eyes * deviation * random.Normal());
  }
  const auto matrix = EstimateSimilarity(off, points);
  if (!matrix.ok()) return;
  cv::Mat moved;
  cv::warpAffine(crop, moved, *matrix, crop.size(), cv::INTER_LINEAR, AnyBorder(random));
  crop = moved;
}

void CutByBorder(RandomStream& random, cv::Mat& crop) {
  const double share = random.Uniform(0.15, 0.7);
  const int columns = static_cast<int>(share * crop.cols);
  const int rows = static_cast<int>(share * crop.rows);
  const std::array<cv::Rect, 4> parts = {
      cv::Rect(0, 0, columns, crop.rows), cv::Rect(crop.cols - columns, 0, columns, crop.rows),
      cv::Rect(0, 0, crop.cols, rows), cv::Rect(0, crop.rows - rows, crop.cols, rows)};
  crop(parts.at(random.Below(parts.size()))).setTo(0);
}

void LoseFace(RandomStream& random, cv::Mat& crop) {
  const double kind = random.Uniform();
  if (kind < kPieceShare) return Shuffle(random, crop);
  if (kind > kPartShare) return DrawWaves(random, crop);
  const double side = crop.cols;
  Warp({.angle = kDegree * random.Uniform(-180, 180),
        .scale = random.Uniform(2, 5),
        .shift = {side * random.Uniform(-1, 1), side * random.Uniform(-1, 1)}},
       cv::BORDER_REFLECT_101, crop);
}

}  // namespace facegate
