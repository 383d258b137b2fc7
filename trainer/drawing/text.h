#pragma once

#include <opencv2/core/mat.hpp>
#include <opencv2/core/types.hpp>
#include <string>
#include <vector>

namespace facegate {

struct TextStyle {
  double height = 12.0;                 // of a capital letter, pixels
  cv::Scalar colour{40.0, 40.0, 40.0};  // BGR, 0..255
  bool bold = false;
};

// Width of one line, pixels. Letters are ASCII; others are shown as '?'.
int TextWidth(const std::string& text, const TextStyle& style);

// `text`, or its beginning with ".." behind it so that it is no wider than `width`; empty where
// not even that fits.
std::string ShortenText(const std::string& text, int width, const TextStyle& style);

// Lines no wider than `width`, broken at spaces and, where a word alone is too wide, shortened;
// at most `lines` of them.
std::vector<std::string> BreakText(const std::string& text, int width, size_t lines,
                                   const TextStyle& style);

// Blends one line onto an 8-bit BGR picture; what lies outside is cut off. `origin` is the left end
// of the baseline.
void DrawTextLine(cv::Mat& picture, const std::string& text, cv::Point origin,
                  const TextStyle& style);

}  // namespace facegate
