#include "trainer/report/pairs_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "face/base/escape_html.h"
#include "trainer/report/html_text.h"
#include "trainer/report/scale.h"

namespace facegate::report {
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

// The folder, with a slash at its end, that all names are below where all are absolute paths.
std::string CommonFolder(std::span<const HardPair> pairs) {
  std::string common;
  bool first = true;
  for (const HardPair& pair : pairs) {
    for (const std::string& name : {pair.first_name, pair.second_name}) {
      if (!name.starts_with('/')) return "";
      const std::string folder = name.substr(0, name.find_last_of('/') + 1);
      if (std::exchange(first, false)) common = folder;
      const auto end = std::mismatch(common.begin(), common.end(), folder.begin(), folder.end());
      common.erase(end.first, common.end());
    }
  }
  // A part of a folder's name is not a folder.
  common.erase(common.find_last_of('/') + 1);
  return common;
}

// Says whether the threshold judges the pair rightly: by a sign and a word, not by the colour
// alone.
std::string Verdict(const HardPair& pair, double threshold) {
  const bool accepted = pair.cosine >= threshold;
  return fmt::format("<i class=\"{}\">{} {}</i>", accepted == pair.genuine ? "right" : "wrong",
                     accepted == pair.genuine ? "✓" : "✗", accepted ? "accepted" : "refused");
}

// Shows the pairs of one kind.
class PairCards {
 public:
  PairCards(std::span<const HardPair> pairs, double threshold)
      : pairs_(pairs), threshold_(threshold), folder_(CommonFolder(pairs)) {}

  std::string Of(bool genuine, const char* title) const {
    std::string cards;
    for (const HardPair& pair : pairs_) {
      if (pair.genuine != genuine) continue;
      cards += fmt::format(
          "<figure class=\"pair\"><div>{}{}</div><figcaption><b>{} {}</b>{}<br>{}</figcaption>"
          "</figure>\n",
          Picture(pair.first, Short(pair.first_name)),
          Picture(pair.second, Short(pair.second_name)),
          NumberText(pair.cosine, 1e-3, NumberStyle::kPlain), Verdict(pair, threshold_),
          Breakable(Short(pair.first_name)), Breakable(Short(pair.second_name)));
    }
    if (cards.empty()) return "";
    return fmt::format("<h4>{}</h4>\n<div class=\"pairs\">\n{}</div>\n", title, cards);
  }

 private:
  std::string Short(const std::string& name) const { return name.substr(folder_.size()); }

  const std::span<const HardPair> pairs_;
  const double threshold_;
  const std::string folder_;
};

}  // namespace

std::string PairsSection(std::span<const HardPair> pairs, double threshold) {
  const PairCards cards(pairs, threshold);
  return cards.Of(true, "One person, and the lowest cosines") +
         cards.Of(false, "Two people, and the highest cosines");
}

}  // namespace facegate::report
