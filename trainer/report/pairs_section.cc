#include "trainer/report/pairs_section.h"

#include <fmt/format.h>

#include "trainer/report/html_text.h"
#include "trainer/report/scale.h"

namespace facegate {
namespace {

constexpr int kPicturePixels = 160;

std::string Picture(const cv::Mat& picture, const std::string& name) {
  const std::string uri = PictureUri(picture, kPicturePixels);
  if (uri.empty()) return "<span class=\"none\">no picture</span>";
  return fmt::format("<img src=\"{}\" alt=\"{}\" loading=\"lazy\">", uri, EscapeHtml(name));
}

// A name that may be broken after each part.
std::string Breakable(const std::string& name) {
  std::string text;
  for (const char c : name) {
    text += EscapeHtml({&c, 1});
    if (c == '/' || c == '_') text += "<wbr>";
  }
  return text;
}

std::string PairsOf(std::span<const HardPair> pairs, bool genuine, const char* title) {
  std::string cards;
  for (const HardPair& pair : pairs) {
    if (pair.genuine != genuine) continue;
    cards += fmt::format(
        "<figure class=\"pair\"><div>{}{}</div><figcaption><b>{}</b>{}<br>{}</figcaption>"
        "</figure>\n",
        Picture(pair.first, pair.first_name), Picture(pair.second, pair.second_name),
        NumberText(pair.cosine, 1e-3, NumberStyle::kPlain), Breakable(pair.first_name),
        Breakable(pair.second_name));
  }
  if (cards.empty()) return "";
  return fmt::format("<h4>{}</h4>\n<div class=\"pairs\">\n{}</div>\n", title, cards);
}

}  // namespace

std::string PairsSection(std::span<const HardPair> pairs) {
  return PairsOf(pairs, true, "One person, and the lowest cosines") +
         PairsOf(pairs, false, "Two people, and the highest cosines");
}

}  // namespace facegate
