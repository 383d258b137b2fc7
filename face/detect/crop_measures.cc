#include "face/detect/crop_measures.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <numeric>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "face/image/align.h"

namespace facegate {
namespace {

constexpr int kDarkest = 25;
constexpr int kBrightest = 247;
// The face's part of its frame, in shares of its side.
constexpr double kHalfWidth = 0.36;
constexpr double kHalfHeight = 0.42;

// Deviations of the Gaussians, pixels of the crop.
constexpr double kFineBlur = 1.0;
constexpr double kCoarseBlur = 2.5;
// An edge of a sharp picture is blurred as by a Gaussian of this many of its pixels: with it photos
// shrunk to an eye distance of 5 to 11 pixels are measured right.
constexpr double kSharpEdge = 0.37;
constexpr double kLeastEdge = 0.3;

// The face is in this part of the crop; the border is not.
cv::Rect FacePart() { return {14, 27, 84, 81}; }

// The gain of the noise filter, and the median of a normal deviate's size.
constexpr double kFilterGain = 6.0;
constexpr double kNormalMedian = 0.6745;
constexpr int kBlock = 8;
// Steps of less than this, in grey levels, are no sign of blocks: a dark or flat picture has none
// to compare with.
constexpr double kLeastStep = 0.5;

cv::Mat Blurred(const cv::Mat& picture, double deviation) {
  cv::Mat blurred;
  const int reach = static_cast<int>(std::ceil(2.5 * deviation));
  cv::GaussianBlur(picture, blurred, {2 * reach + 1, 2 * reach + 1}, deviation, deviation,
                   cv::BORDER_REPLICATE);
  return blurred;
}

// The energies of the gradient along the rows, the columns and both diagonals.
using Energies = std::array<double, 4>;
Energies GradientEnergies(const cv::Mat& picture) {
  const int width = picture.cols - 1;
  const int height = picture.rows - 1;
  const cv::Mat here = picture(cv::Rect(0, 0, width, height));
  const cv::Mat right = picture(cv::Rect(1, 0, width, height));
  const cv::Mat below = picture(cv::Rect(0, 1, width, height));
  return {cv::norm(here, right, cv::NORM_L2SQR), cv::norm(here, below, cv::NORM_L2SQR),
          cv::norm(here, picture(cv::Rect(1, 1, width, height)), cv::NORM_L2SQR),
          cv::norm(right, below, cv::NORM_L2SQR)};
}

// See MeasureDetail(); pixels.
double EdgeWidth(double fine_energy, double coarse_energy) {
  if (!(fine_energy > 0)) return INFINITY;
  const double ratio = coarse_energy / fine_energy;
  const double square = ratio * ratio;
  if (square >= 1) return INFINITY;
  const double edge = (square * kCoarseBlur * kCoarseBlur - kFineBlur * kFineBlur) / (1 - square);
  return std::sqrt(std::max(edge, kLeastEdge * kLeastEdge));
}

// The largest of the mean steps at one place of the blocks over the mean of the others; `sums` has
// the sum of the steps of each column.
double BlockRatio(const cv::Mat& sums, int rows) {
  std::array<double, kBlock> steps{};
  std::array<int, kBlock> counts{};
  for (int i = 0; i < sums.cols; ++i) {
    const auto place = static_cast<size_t>(i % kBlock);
    steps.at(place) += double{sums.at<float>(0, i)} / rows;
    ++counts.at(place);
  }
  double all = 0;
  double largest = 0;
  for (size_t i = 0; i < steps.size(); ++i) {
    steps.at(i) /= std::max(1, counts.at(i));
    all += steps.at(i);
    largest = std::max(largest, steps.at(i));
  }
  return (largest + kLeastStep) / ((all - largest) / (kBlock - 1) + kLeastStep);
}

// The sums of the steps from each column to the next, one row.
cv::Mat ColumnSteps(const cv::Mat& grey) {
  const cv::Rect left(0, 0, grey.cols - 1, grey.rows);
  cv::Mat steps;
  cv::absdiff(grey(left), grey(left + cv::Point(1, 0)), steps);
  cv::Mat sums;
  cv::reduce(steps, sums, 0, cv::REDUCE_SUM, CV_32F);
  return sums;
}

double BlockRatioAcross(const cv::Mat& grey) { return BlockRatio(ColumnSteps(grey), grey.rows); }

// The share that two histograms of luminances have in common, in steps of eight grey levels.
double OverlapOf(const std::array<int, 256>& one, const std::array<int, 256>& other) {
  constexpr size_t kStep = 8;
  const double all_of_one = std::accumulate(one.begin(), one.end(), 0);
  const double all_of_other = std::accumulate(other.begin(), other.end(), 0);
  if (all_of_one == 0 || all_of_other == 0) return 0;
  double overlap = 0;
  for (size_t step = 0; step < one.size(); step += kStep) {
    const auto sum = [step](const std::array<int, 256>& histogram) {
      const auto* const first = histogram.data() + step;
      return static_cast<double>(std::accumulate(first, first + kStep, 0));
    };
    overlap += std::min(sum(one) / all_of_one, sum(other) / all_of_other);
  }
  return overlap;
}

// The share of the columns that differ from the one before, where a difference of less than a
// fourth of the mean one is none: what a compression leaves of equal columns.
double OwnShareAcross(const cv::Mat& grey) {
  constexpr double kLeastMean = 0.3;  // grey levels
  constexpr float kNone = 0.25F;
  if (grey.cols < 2 || grey.rows < 1) return 1.0;
  const cv::Mat steps = ColumnSteps(grey);
  const double mean = cv::mean(steps)[0];
  if (mean < kLeastMean * grey.rows) return 1.0;
  const auto* const first = steps.ptr<float>();
  const auto own = std::count_if(first, first + steps.cols, [mean](float step) {
    return step >= kNone * static_cast<float>(mean);
  });
  return static_cast<double>(own) / steps.cols;
}

}  // namespace

FaceLight MeasureLight(const cv::Mat& frame) {
  std::array<std::array<int, 256>, 2> halves{};
  int count = 0;
  for (int row = 0; row < frame.rows; ++row) {
    const double down = ((row + 0.5) / frame.rows - 0.5) / kHalfHeight;
    if (std::abs(down) >= 1) continue;
    const double half = std::sqrt(1 - down * down) * kHalfWidth * frame.cols;
    const int first = static_cast<int>(std::ceil(frame.cols / 2.0 - half));
    const int last = static_cast<int>(frame.cols / 2.0 + half);
    const auto* const pixels = frame.ptr<uchar>(row);
    for (int column = first; column < last; ++column) {
      ++halves[2 * column < frame.cols ? 0 : 1][pixels[column]];
    }
    count += std::max(0, last - first);
  }
  FaceLight light;
  if (count == 0) return light;
  light.uniformity = OverlapOf(halves[0], halves[1]);
  std::array<int, 256> histogram = halves[0];
  for (size_t i = 0; i < histogram.size(); ++i) histogram[i] += halves[1][i];
  for (size_t i = 0; i < histogram.size(); ++i) {
    if (histogram[i] == 0) continue;
    const double share = static_cast<double>(histogram[i]) / count;
    light.entropy -= share * std::log2(share);
    if (i <= kDarkest) light.dark_share += share;
    if (i >= kBrightest) light.bright_share += share;
  }
  return light;
}

// The energy of the gradient over an edge that a Gaussian of deviation s has blurred is
// proportional to 1/s. With the blurs a and b on top, the ratio r of the energies is sqrt((s² + a²)
// / (s² + b²)), so s² = (r² b² - a²) / (1 - r²). The direction with the widest edges counts: what
// moved is sharp across its way.
double MeasureDetail(const cv::Mat& grey_crop) {
  const auto points = TemplatePoints(AlignmentTemplate::kArcFace112);
  const double eyes = cv::norm(points[1] - points[0]);
  cv::Mat floats;
  grey_crop.convertTo(floats, CV_32F);
  const cv::Mat fine = Blurred(floats, kFineBlur);
  const cv::Mat coarse =
      Blurred(fine, std::sqrt(kCoarseBlur * kCoarseBlur - kFineBlur * kFineBlur));
  const Energies before = GradientEnergies(fine(FacePart()));
  const Energies after = GradientEnergies(coarse(FacePart()));
  double widest = 0;
  for (size_t i = 0; i < before.size(); ++i) {
    widest = std::max(widest, EdgeWidth(before.at(i), after.at(i)));
  }
  return std::min(eyes, eyes * kSharpEdge / widest);
}

double MeasureNoise(const cv::Mat& grey_crop) {
  static const cv::Mat kernel =
      (cv::Mat_<float>(3, 3) << 1, -2, 1, -2, 4, -2, 1, -2, 1);  // of a mixed second derivative
  cv::Mat filtered;
  cv::filter2D(grey_crop(FacePart()), filtered, CV_16S, kernel);
  std::array<int, 4096> histogram{};
  for (int row = 0; row < filtered.rows; ++row) {
    const auto* const values = filtered.ptr<int16_t>(row);
    for (int column = 0; column < filtered.cols; ++column) {
      ++histogram.at(static_cast<size_t>(std::abs(int{values[column]})));
    }
  }
  int left = static_cast<int>(filtered.total() / 2);
  size_t median = 0;
  while ((left -= histogram.at(median)) > 0) ++median;
  return static_cast<double>(median) / (kFilterGain * kNormalMedian);
}

double MeasureBlocks(const cv::Mat& grey) {
  if (grey.cols < kLeastForBlocks || grey.rows < kLeastForBlocks) return 1.0;
  cv::Mat turned;
  cv::transpose(grey, turned);
  return (BlockRatioAcross(grey) + BlockRatioAcross(turned)) / 2;
}

double MeasureOwnPixels(const cv::Mat& grey) {
  cv::Mat turned;
  cv::transpose(grey, turned);
  return std::min(OwnShareAcross(grey), OwnShareAcross(turned));
}

}  // namespace facegate
