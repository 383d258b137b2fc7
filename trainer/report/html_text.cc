#include "trainer/report/html_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <opencv2/imgproc.hpp>

#include "face/base/base64.h"
#include "face/base/escape_html.h"
#include "face/base/shown_text.h"
#include "face/image/encode.h"
#include "face/image/mat_pixels.h"
#include "trainer/report/page_style.h"

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

std::string HtmlPage(const PageParts& parts) {
  const std::string title = EscapeHtml(parts.title);
  std::string page = fmt::format(
      "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n<main>\n<h1>{}</h1>\n",
      title, PageStyle(), title);
  if (!parts.lead.empty()) {
    page += fmt::format("<p class=\"lead\">{}</p>\n", EscapeHtml(parts.lead));
  }
  page += parts.body;
  page += fmt::format("<footer>{}</footer>\n</main>\n<script>{}</script>\n</body>\n</html>\n",
                      parts.footer, PageScript());
  return ShownText(page);
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
