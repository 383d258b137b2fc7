#include "trainer/report/parallel_axes.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <string_view>
#include <utility>

#include "face/base/escape_html.h"

namespace facegate::report {
namespace {

constexpr double kTop = 52.0;
constexpr double kBottom = 14.0;
constexpr double kHeight = 380.0;
constexpr double kLeastWidth = 1056.0;  // of the page
constexpr double kLetter = 7.0;         // the width of most letters, of 12 pixels height
constexpr double kLabelGap = 8.0;       // between an axis and its labels
constexpr double kRoom = 16.0;          // around names and labels
constexpr double kLeastGap = 90.0;
constexpr double kLineHeight = 14.0;
constexpr size_t kMostLetters = 22;
// On a narrow screen the picture is not made smaller than this, and moved instead.
constexpr double kSmallest = 0.8;
// Names of neighbours stand in two rows, so that each has the room of two.
constexpr double kUpperName = 16.0;
constexpr double kLowerName = 36.0;
constexpr double kFaintest = 0.18;

// Where the letters of UTF-8 begin, and where the last one ends.
std::vector<size_t> LettersOf(std::string_view text) {
  std::vector<size_t> begins;
  for (size_t i = 0; i < text.size(); ++i) {
    if ((text[i] & 0xC0) != 0x80) begins.push_back(i);
  }
  begins.push_back(text.size());
  return begins;
}

// "very long na…e of a file"
std::string Shortened(const std::string& text) {
  const std::vector<size_t> letters = LettersOf(text);
  const size_t count = letters.size() - 1;
  if (count <= kMostLetters) return text;
  const size_t half = (kMostLetters - 1) / 2;
  return text.substr(0, letters[half]) + "…" + text.substr(letters[count - half]);
}

double WidthOf(std::string_view text) {
  return kLetter * static_cast<double>(LettersOf(text).size() - 1);
}

double LabelWidth(const ParallelAxis& axis) {
  double width = 0.0;
  for (const ParallelTick& tick : axis.ticks) width = std::max(width, WidthOf(tick.label));
  return width;
}

class ParallelPlot {
 public:
  explicit ParallelPlot(const ParallelPicture& picture)
      : lines_(picture.lines), axes_(picture.axes) {
    for (ParallelAxis& axis : axes_) {
      for (ParallelTick& tick : axis.ticks) tick.label = Shortened(tick.label);
    }
    SetWidths();
  }

  std::string Svg(const std::string& title) {
    Add("<svg viewBox=\"0 0 {:.0f} {:.0f}\" style=\"min-width:{:.0f}px\" role=\"img\" "
        "aria-label=\"{}\">",
        width_, kHeight, kSmallest * width_, EscapeHtml(title));
    for (size_t i = 0; i < axes_.size(); ++i) {
      Add("<line class=\"axis\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>",
          X(i), Y(1.0), Y(0.0));
    }
    for (const ParallelLine& line : lines_) AddLine(line);
    // Above the lines, which they must not be lost in.
    for (size_t i = 0; i < axes_.size(); ++i) AddTexts(i);
    svg_ += "</svg>";
    return std::move(svg_);
  }

 private:
  template <typename... T>
  void Add(fmt::format_string<T...> format, T&&... arguments) {
    fmt::format_to(std::back_inserter(svg_), format, std::forward<T>(arguments)...);
  }

  double X(size_t axis) const { return left_ + gap_ * static_cast<double>(axis); }
  static double Y(double place) {
    return kHeight - kBottom - std::clamp(place, 0.0, 1.0) * (kHeight - kTop - kBottom);
  }

  // The room that labels, to the left of their axis, and names, in its middle, need.
  void SetWidths() {
    const double first = WidthOf(axes_.front().name) / 2.0;
    const double last = WidthOf(axes_.back().name) / 2.0;
    left_ = std::max(first, LabelWidth(axes_.front()) + kLabelGap) + kRoom;
    const double right = last + kRoom;
    gap_ = kLeastGap;
    for (size_t i = 1; i < axes_.size(); ++i) {
      gap_ = std::max(gap_, LabelWidth(axes_[i]) + kLabelGap + kRoom);
      // A name in the lower row must not meet the line below its neighbour's.
      gap_ = std::max(gap_, WidthOf(axes_[i - i % 2].name) / 2.0 + kLabelGap);
      if (i < 2) continue;
      const double names = WidthOf(axes_[i].name) + WidthOf(axes_[i - 2].name);
      gap_ = std::max(gap_, (names / 2.0 + kRoom) / 2.0);
    }
    const auto gaps = static_cast<double>(std::max<size_t>(2, axes_.size()) - 1);
    gap_ = std::max(gap_, (kLeastWidth - left_ - right) / gaps);
    width_ = left_ + right + gap_ * gaps;
  }

  void AddLine(const ParallelLine& line) {
    std::string points;
    for (size_t i = 0; i < std::min(line.places.size(), axes_.size()); ++i) {
      fmt::format_to(std::back_inserter(points), "{}{:.1f},{:.1f}", i == 0 ? "" : " ", X(i),
                     Y(line.places[i]));
    }
    const bool is_whole = line.places.size() >= axes_.size();
    const double opacity = kFaintest + (0.75 - kFaintest) * std::clamp(line.strength, 0.0, 1.0);
    Add("<polyline class=\"line{} c{}\" points=\"{}\"", is_whole ? "" : " dashed",
        line.is_best ? 1
        : is_whole   ? 0
                     : 5,
        points);
    if (line.is_best) {
      Add(" style=\"stroke-width:3.5\"");
    } else {
      Add(" style=\"stroke-width:1.5;opacity:{:.2f}\"", opacity);
    }
    Add("><title>{}</title></polyline>", EscapeHtml(line.text));
  }

  void AddTexts(size_t axis) {
    const double x = X(axis);
    const bool is_upper = axis % 2 == 1;
    if (is_upper) {
      Add("<line class=\"grid\" x1=\"{0:.1f}\" x2=\"{0:.1f}\" y1=\"{1:.1f}\" y2=\"{2:.1f}\"/>", x,
          kUpperName + 5.0, kTop - 3.0);
    }
    Add("<text class=\"word\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"middle\">{}</text>", x,
        is_upper ? kUpperName : kLowerName, EscapeHtml(axes_[axis].name));
    double last = 2.0 * kHeight;
    for (const ParallelTick& tick : Ascending(axes_[axis].ticks)) {
      const double y = Y(tick.place);
      Add("<line class=\"axis\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", x - 4.0,
          x, y, y);
      if (last - y < kLineHeight) continue;
      last = y;
      Add("<text class=\"tick halo\" x=\"{:.1f}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>",
          x - kLabelGap, y + 4.0, EscapeHtml(tick.label));
    }
  }

  static std::vector<ParallelTick> Ascending(std::vector<ParallelTick> ticks) {
    std::stable_sort(ticks.begin(), ticks.end(), [](const ParallelTick& a, const ParallelTick& b) {
      return a.place < b.place;
    });
    return ticks;
  }

  const std::vector<ParallelLine>& lines_;
  std::vector<ParallelAxis> axes_;
  double left_ = 0.0;
  double gap_ = 0.0;
  double width_ = 0.0;
  std::string svg_;
};

}  // namespace

std::string ParallelFigure(const ParallelPicture& picture) {
  if (picture.axes.empty() || picture.lines.empty()) return "";
  std::string figure =
      fmt::format("<figure><div class=\"head\"><h3>{}</h3></div><div class=\"table\">{}</div>",
                  EscapeHtml(picture.title), ParallelPlot(picture).Svg(picture.title));
  if (!picture.caption.empty()) {
    figure += fmt::format("<figcaption>{}</figcaption>", EscapeHtml(picture.caption));
  }
  return figure + "</figure>\n";
}

}  // namespace facegate::report
