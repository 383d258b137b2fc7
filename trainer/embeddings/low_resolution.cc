#include "trainer/embeddings/low_resolution.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>

#include "trainer/enlarge/bicubic.h"

namespace facegate {
namespace {

constexpr int kLeastPixels = 4;

int Reduced(int side, double factor) { return static_cast<int>(std::lround(side / factor)); }

cv::Mat Smaller(const cv::Mat& crop, Reduction reduction, const cv::Size& size) {
  if (reduction == Reduction::kBicubic) return ResizedBicubic(crop, size);
  cv::Mat small;
  cv::resize(crop, small, size, 0, 0, cv::INTER_AREA);
  return small;
}

// As large as it was, without a network.
cv::Mat Larger(const cv::Mat& small, Reduction reduction, const cv::Size& size) {
  if (reduction == Reduction::kBicubic) return ResizedBicubic(small, size);
  cv::Mat large;
  cv::resize(small, large, size, 0, 0, cv::INTER_CUBIC);
  return large;
}

Status CheckNetwork(const cv::Size& crop, const Resolution& resolution) {
  const int scale = resolution.network->scale();
  if (resolution.factor != scale) {
    return InvalidArgument(
        fmt::format("a network that enlarges {} times does not undo a reduction by {:g}", scale,
                    resolution.factor));
  }
  if (crop.width % scale == 0 && crop.height % scale == 0) return OkStatus();
  return InvalidArgument(
      fmt::format("a crop of {} x {} cannot be made {} times smaller and enlarged by a network: "
                  "{} does not divide its sides",
                  crop.width, crop.height, scale, scale));
}

}  // namespace

StatusOr<LowResolutionSide> LowResolutionSideFromName(std::string_view name) {
  if (name == "both") return LowResolutionSide::kBoth;
  if (name == "one") return LowResolutionSide::kOne;
  return InvalidArgument(fmt::format("{} is not one of both, one", name));
}

std::string_view LowResolutionSideName(LowResolutionSide side) {
  return side == LowResolutionSide::kBoth ? "both" : "one";
}

StatusOr<Reduction> ReductionFromName(std::string_view name) {
  if (name == "area") return Reduction::kArea;
  if (name == "bicubic") return Reduction::kBicubic;
  return InvalidArgument(fmt::format("{} is not one of area, bicubic", name));
}

Status CheckResolution(const cv::Size& crop, const Resolution& resolution) {
  const double factor = resolution.factor;
  const int shorter = std::min(crop.width, crop.height);
  if (!(factor >= 1.0 && factor * kLeastPixels <= shorter)) {
    return InvalidArgument(
        fmt::format("a crop of {} x {} cannot be made smaller {:g} times, only "
                    "1 to {:g} times",
                    crop.width, crop.height, factor, static_cast<double>(shorter) / kLeastPixels));
  }
  return resolution.network == nullptr ? OkStatus() : CheckNetwork(crop, resolution);
}

StatusOr<cv::Mat> AtLowResolution(const cv::Mat& crop, const Resolution& resolution) {
  FACEGATE_RETURN_IF_ERROR(CheckResolution(crop.size(), resolution));
  const double factor = resolution.factor;
  const cv::Size size(Reduced(crop.cols, factor), Reduced(crop.rows, factor));
  if (size == crop.size()) return crop;
  const cv::Mat small = Smaller(crop, resolution.reduction, size);
  if (resolution.network != nullptr) return resolution.network->Enlarge(small);
  return Larger(small, resolution.reduction, crop.size());
}

}  // namespace facegate
