#include "face/image/preprocessing.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>

#include "face/base/catch.h"

namespace facegate {
namespace {

// Scales the crop to fit and centres it on grey; an odd rest leaves the larger band at the right or
// below.
StatusOr<cv::Mat> FitToInput(const cv::Mat& crop, const Preprocessing& preprocessing) {
  const cv::Size input(preprocessing.input_width, preprocessing.input_height);
  if (crop.size() == input) return crop;
  if (!preprocessing.letterbox) {
    return Refuse(Reason::kCropSize,
                  fmt::format("crop is {}x{} pixels, the network takes {}x{} and no letterbox is "
                              "configured",
                              crop.cols, crop.rows, input.width, input.height));
  }
  const double scale = std::min(static_cast<double>(input.width) / crop.cols,
                                static_cast<double>(input.height) / crop.rows);
  const cv::Size fitted(
      std::clamp(static_cast<int>(std::lround(crop.cols * scale)), 1, input.width),
      std::clamp(static_cast<int>(std::lround(crop.rows * scale)), 1, input.height));
  cv::Mat scaled = crop;
  if (crop.size() != fitted) cv::resize(crop, scaled, fitted, 0, 0, cv::INTER_CUBIC);
  cv::Mat canvas(input, CV_8UC3, cv::Scalar::all(preprocessing.letterbox_grey));
  const cv::Point corner((input.width - fitted.width) / 2, (input.height - fitted.height) / 2);
  scaled.copyTo(canvas(cv::Rect(corner, fitted)));
  return canvas;
}

// (pixel - mean) * scale for the 256 values of each channel of the network's input.
using ValueTable = std::array<std::array<float, 256>, 3>;

ValueTable MakeValueTable(const Preprocessing& preprocessing) {
  ValueTable table;
  for (size_t channel = 0; channel < 3; ++channel) {
    for (size_t pixel = 0; pixel < 256; ++pixel) {
      table[channel][pixel] =
          (static_cast<float>(pixel) - preprocessing.mean[channel]) * preprocessing.scale[channel];
    }
  }
  return table;
}

void WritePlanes(const cv::Mat& bgr, ColourOrder order, const ValueTable& table, bool mirrored,
                 std::span<float> out) {
  const auto rows = static_cast<size_t>(bgr.rows);
  const auto columns = static_cast<size_t>(bgr.cols);
  const size_t channels = order == ColourOrder::kGrey ? 1 : 3;
  for (size_t channel = 0; channel < channels; ++channel) {
    const size_t source_channel = order == ColourOrder::kRgb ? 2 - channel : channel;
    const std::array<float, 256>& values = table[channel];
    for (size_t row = 0; row < rows; ++row) {
      const uint8_t* source = bgr.ptr(static_cast<int>(row)) + source_channel;
      float* target = out.data() + (channel * rows + row) * columns;
      for (size_t column = 0; column < columns; ++column) {
        target[mirrored ? columns - 1 - column : column] = values[source[3 * column]];
      }
    }
  }
}

constexpr std::array<std::string_view, 3> kOrders = {"rgb", "bgr", "grey"};  // by their numbers

}  // namespace

std::string_view ColourOrderName(ColourOrder order) { return kOrders[static_cast<size_t>(order)]; }

std::optional<ColourOrder> ColourOrderFromName(std::string_view name) {
  const auto* const found = std::find(kOrders.begin(), kOrders.end(), name);
  if (found == kOrders.end()) return std::nullopt;
  return static_cast<ColourOrder>(found - kOrders.begin());
}

cv::Mat InGrey(const cv::Mat& bgr) {
  cv::Mat grey;
  cv::cvtColor(bgr, grey, cv::COLOR_BGR2GRAY);
  cv::Mat three;
  cv::cvtColor(grey, three, cv::COLOR_GRAY2BGR);
  return three;
}

StatusOr<cv::Mat> InputPixels(const AlignedFace& face, const Preprocessing& preprocessing) {
  const cv::Size expected = CropSize(preprocessing.alignment);
  if (face.bgr.size() != expected || face.bgr.type() != CV_8UC3) {
    return Refuse(Reason::kCropSize,
                  fmt::format("aligned crop is {}x{} pixels, the model takes {}x{}", face.bgr.cols,
                              face.bgr.rows, expected.width, expected.height));
  }
  return CatchToStatus("preparing a face", [&]() -> StatusOr<cv::Mat> {
    FACEGATE_ASSIGN_OR_RETURN(const cv::Mat pixels, FitToInput(face.bgr, preprocessing));
    return preprocessing.colour_order == ColourOrder::kGrey ? InGrey(pixels) : pixels;
  });
}

Status WriteNetworkInput(const AlignedFace& face, const Preprocessing& preprocessing, bool mirrored,
                         std::span<float> out) {
  FACEGATE_ASSIGN_OR_RETURN(const cv::Mat pixels, InputPixels(face, preprocessing));
  if (out.size() != preprocessing.input_floats()) {
    return Internal(fmt::format("network input has room for {} floats, {} are needed", out.size(),
                                preprocessing.input_floats()));
  }
  WritePlanes(pixels, preprocessing.colour_order, MakeValueTable(preprocessing), mirrored, out);
  return OkStatus();
}

}  // namespace facegate
