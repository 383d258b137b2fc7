#include "trainer/run/batch_picture.h"

#include <algorithm>
#include <cmath>
#include <opencv2/core.hpp>
#include <span>

namespace facegate {
namespace {

uint8_t PixelOf(float value, float mean, float scale) {
  return cv::saturate_cast<uint8_t>(std::lround(value / scale + mean));
}

// One input, planar in the network's order of colours, into its place.
void Paint(std::span<const float> planes, const Preprocessing& preprocessing, cv::Mat place) {
  const auto channels = static_cast<size_t>(preprocessing.channels());
  const size_t area = planes.size() / channels;
  const bool rgb = preprocessing.colour_order == ColourOrder::kRgb;
  for (int y = 0; y < place.rows; ++y) {
    auto* const row = place.ptr<cv::Vec3b>(y);
    for (int x = 0; x < place.cols; ++x) {
      const size_t at =
          static_cast<size_t>(y) * static_cast<size_t>(place.cols) + static_cast<size_t>(x);
      for (size_t c = 0; c < 3; ++c) {
        const size_t to = rgb ? 2 - c : c;
        const size_t from = channels == 1 ? 0 : c;
        row[x][static_cast<int>(to)] =
            PixelOf(planes[from * area + at], preprocessing.mean[from], preprocessing.scale[from]);
      }
    }
  }
}

}  // namespace

cv::Mat BatchPicture(const Batch& batch, const Preprocessing& preprocessing, size_t most,
                     size_t columns) {
  const size_t count = std::min(most, batch.labels.size());
  const size_t rows = (count + columns - 1) / columns;
  const int width = preprocessing.input_width;
  const int height = preprocessing.input_height;
  cv::Mat picture(static_cast<int>(rows) * height, static_cast<int>(columns) * width, CV_8UC3,
                  cv::Scalar::all(255));
  const size_t floats = preprocessing.input_floats();
  for (size_t i = 0; i < count; ++i) {
    const cv::Rect place(static_cast<int>(i % columns) * width,
                         static_cast<int>(i / columns) * height, width, height);
    Paint(std::span(batch.pixels).subspan(i * floats, floats), preprocessing, picture(place));
  }
  return picture;
}

}  // namespace facegate
