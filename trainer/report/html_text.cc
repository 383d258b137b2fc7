#include "trainer/report/html_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "face/base/base64.h"
#include "face/base/escape_html.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"

namespace facegate::report {
namespace {

constexpr int kJpegQuality = 90;

}  // namespace

std::string FactList(std::span<const std::pair<std::string, std::string>> facts) {
  if (facts.empty()) return "";
  std::string list = "<dl>\n";
  for (const auto& [name, value] : facts) {
    list += fmt::format("<dt>{}</dt><dd>{}</dd>\n", EscapeHtml(name), EscapeHtml(value));
  }
  return list + "</dl>\n";
}

std::string PictureUri(const cv::Mat& picture, int most_pixels) {
  if (picture.empty() || (picture.type() != CV_8UC1 && picture.type() != CV_8UC3)) return "";
  cv::Mat small = picture;
  const int side = std::max(picture.cols, picture.rows);
  if (side > most_pixels) {
    const double scale = static_cast<double>(most_pixels) / side;
    const cv::Size size(std::max(1, cvRound(picture.cols * scale)),
                        std::max(1, cvRound(picture.rows * scale)));
    cv::resize(picture, small, size, 0.0, 0.0, cv::INTER_AREA);
  }
  const StatusOr<std::string> jpeg = EncodeJpeg(ViewOf(small), kJpegQuality);
  return jpeg.ok() ? "data:image/jpeg;base64," + Base64(*jpeg) : "";
}

}  // namespace facegate::report
