#pragma once

#include <opencv2/core/mat.hpp>
#include <span>
#include <string>
#include <string_view>
#include <utility>

namespace facegate::report {

// A <dl> of names and values, which are plain texts; empty without any.
std::string FactList(std::span<const std::pair<std::string, std::string>> facts);

// The parts of a page. `body` and `footer` are HTML, the others plain texts.
struct PageParts {
  std::string title{};
  std::string lead{};  // a sentence or two; may be empty
  std::string body{};
  std::string footer{};
};
// The whole page, with style sheet and script in it. Control characters and bytes that are no UTF-8
// become \xHH.
std::string HtmlPage(const PageParts& parts);

// A "data:" address of the picture as JPEG, made smaller where a side has more than `most_pixels`.
// Empty where there is no picture (grey or BGR, 8 bits a channel).
std::string PictureUri(const cv::Mat& picture, int most_pixels);

}  // namespace facegate::report
