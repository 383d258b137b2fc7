#include "trainer/enlarge/bicubic.h"

#include <algorithm>
#include <cmath>
#include <cstdint>
#include <opencv2/core.hpp>
#include <vector>

namespace facegate {
namespace {

constexpr double kReach = 2.0;  // of the kernel, in pixels of the smaller picture
constexpr int kBits = 22;       // of a weight's fraction

double Keys(double x) {
  constexpr double kA = -0.5;
  x = std::abs(x);
  if (x < 1.0) return ((kA + 2.0) * x - (kA + 3.0)) * x * x + 1.0;
  if (x < 2.0) return (((x - 5.0) * x + 8.0) * x - 4.0) * kA;
  return 0.0;
}

// What a pixel of the result is made of: pixels from `begin` on, each with a weight of kBits.
struct Taps {
  int begin = 0;
  std::vector<int> weights;
};

std::vector<Taps> TapsOf(int from, int to) {
  const double scale = static_cast<double>(from) / to;
  const double widening = std::max(scale, 1.0);
  const double reach = kReach * widening;
  std::vector<Taps> all(static_cast<size_t>(to));
  for (int i = 0; i < to; ++i) {
    const double centre = (i + 0.5) * scale;
    const int begin = std::max(static_cast<int>(std::floor(centre - reach + 0.5)), 0);
    const int end = std::min(static_cast<int>(std::floor(centre + reach + 0.5)), from);
    std::vector<double> weights;
    double sum = 0.0;
    for (int at = begin; at < end; ++at) {
      weights.push_back(Keys((at - centre + 0.5) / widening));
      sum += weights.back();
    }
    Taps& taps = all[static_cast<size_t>(i)];
    taps.begin = begin;
    for (const double weight : weights) {
      taps.weights.push_back(static_cast<int>(std::lround(weight / sum * (1 << kBits))));
    }
  }
  return all;
}

uint8_t Rounded(int64_t sum) {
  return static_cast<uint8_t>(std::clamp<int64_t>((sum + (1 << (kBits - 1))) >> kBits, 0, 255));
}

// In another width; `picture` has one row for each row of the result.
cv::Mat WithWidth(const cv::Mat& picture, int width) {
  if (width == picture.cols) return picture;
  const int channels = picture.channels();
  const std::vector<Taps> all = TapsOf(picture.cols, width);
  cv::Mat result(picture.rows, width, picture.type());
  for (int y = 0; y < picture.rows; ++y) {
    const uint8_t* const row = picture.ptr<uint8_t>(y);
    uint8_t* to = result.ptr<uint8_t>(y);
    for (const Taps& taps : all) {
      for (int c = 0; c < channels; ++c) {
        int64_t sum = 0;
        const uint8_t* from = row + static_cast<ptrdiff_t>(taps.begin) * channels + c;
        for (const int weight : taps.weights) {
          sum += int64_t{weight} * *from;
          from += channels;
        }
        *to++ = Rounded(sum);
      }
    }
  }
  return result;
}

cv::Mat Transposed(const cv::Mat& picture) {
  cv::Mat result;
  cv::transpose(picture, result);
  return result;
}

}  // namespace

cv::Mat ResizedBicubic(const cv::Mat& picture, const cv::Size& size) {
  const cv::Mat wide = WithWidth(picture, size.width);
  if (size.height == wide.rows) return wide.clone();
  return Transposed(WithWidth(Transposed(wide), size.height));
}

}  // namespace facegate
