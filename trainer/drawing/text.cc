#include "trainer/drawing/text.h"

#include <algorithm>
#include <cmath>
#include <opencv2/imgproc.hpp>
#include <sstream>
#include <utility>

namespace facegate {
namespace {

constexpr int kFont = cv::FONT_HERSHEY_SIMPLEX;
constexpr double kFontHeight = 22.0;  // of a capital letter at scale 1, pixels
constexpr int kOversampling = 4;      // strokes are drawn larger and averaged: even edges

double FontScale(const TextStyle& style) { return kOversampling * style.height / kFontHeight; }

int StrokeWidth(const TextStyle& style) {
  const double width = kOversampling * style.height * (style.bold ? 0.15 : 0.1);
  return std::max(1, static_cast<int>(std::lround(width)));
}

}  // namespace

int TextWidth(const std::string& text, const TextStyle& style) {
  int baseline = 0;
  const cv::Size size =
      cv::getTextSize(text, kFont, FontScale(style), StrokeWidth(style), &baseline);
  return (size.width + kOversampling - 1) / kOversampling;
}

std::string ShortenText(const std::string& text, int width, const TextStyle& style) {
  if (TextWidth(text, style) <= width) return text;
  for (size_t length = text.size(); length-- > 1;) {
    std::string shorter = text.substr(0, length) + "..";
    if (TextWidth(shorter, style) <= width) return shorter;
  }
  return {};
}

std::vector<std::string> BreakText(const std::string& text, int width, size_t lines,
                                   const TextStyle& style) {
  std::vector<std::string> result;
  std::istringstream words(text);
  for (std::string word; words >> word;) {
    if (!result.empty()) {
      std::string longer = result.back() + " " + word;
      // The last line takes all that is left, to be shortened below.
      if (result.size() == lines || TextWidth(longer, style) <= width) {
        result.back() = std::move(longer);
        continue;
      }
    }
    if (result.size() < lines) result.push_back(std::move(word));
  }
  for (std::string& line : result) line = ShortenText(line, width, style);
  return result;
}

void DrawTextLine(cv::Mat& picture, const std::string& text, cv::Point origin,
                  const TextStyle& style) {
  const int above = static_cast<int>(std::ceil(style.height * 1.5));
  const cv::Rect place(origin.x, origin.y - above, TextWidth(text, style) + 2, 2 * above);
  const cv::Rect visible = place & cv::Rect({0, 0}, picture.size());
  if (text.empty() || visible.empty()) return;
  cv::Mat mask = cv::Mat::zeros(place.size() * kOversampling, CV_8UC1);
  cv::putText(mask, text, {0, above * kOversampling}, kFont, FontScale(style), 255.0,
              StrokeWidth(style), cv::LINE_AA);
  cv::resize(mask, mask, place.size(), 0.0, 0.0, cv::INTER_AREA);
  for (int y = visible.y; y < visible.y + visible.height; ++y) {
    const auto* cover = mask.ptr<uint8_t>(y - place.y);
    auto* row = picture.ptr<cv::Vec3b>(y);
    for (int x = visible.x; x < visible.x + visible.width; ++x) {
      const double share = cover[x - place.x] / 255.0;
      for (int c = 0; c < 3; ++c) {
        const double old = row[x][c];
        row[x][c] = cv::saturate_cast<uint8_t>(old + share * (style.colour[c] - old));
      }
    }
  }
}

}  // namespace facegate
