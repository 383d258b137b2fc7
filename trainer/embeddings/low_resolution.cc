#include "trainer/embeddings/low_resolution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

namespace facegate {
namespace {

constexpr int kLeastPixels = 4;

int Reduced(int side, double factor) { return static_cast<int>(std::lround(side / factor)); }

}  // namespace

StatusOr<LowResolutionSide> LowResolutionSideFromName(std::string_view name) {
  if (name == "both") return LowResolutionSide::kBoth;
  if (name == "one") return LowResolutionSide::kOne;
  return InvalidArgument(fmt::format("{} is not one of both, one", name));
}

std::string_view LowResolutionSideName(LowResolutionSide side) {
  return side == LowResolutionSide::kBoth ? "both" : "one";
}

StatusOr<cv::Mat> AtLowResolution(const cv::Mat& crop, double factor) {
  const int shorter = std::min(crop.cols, crop.rows);
  if (!(factor >= 1.0 && factor * kLeastPixels <= shorter)) {
    return InvalidArgument(
        fmt::format("a crop of {} x {} cannot be made smaller {:g} times, only "
                    "1 to {:g} times",
                    crop.cols, crop.rows, factor, static_cast<double>(shorter) / kLeastPixels));
  }
  const cv::Size size(Reduced(crop.cols, factor), Reduced(crop.rows, factor));
  if (size == crop.size()) return crop;
  cv::Mat small;
  cv::resize(crop, small, size, 0, 0, cv::INTER_AREA);
  cv::Mat large;
  cv::resize(small, large, crop.size(), 0, 0, cv::INTER_CUBIC);
  return large;
}

}  // namespace facegate
