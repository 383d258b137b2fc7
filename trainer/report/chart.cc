#include "trainer/report/chart.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <iterator>
#include <span>

#include "face/base/escape_html.h"
#include "trainer/report/page_style.h"

namespace facegate::report {
namespace {

constexpr double kLeft = 58.0;
constexpr double kRight = 14.0;
constexpr double kTop = 12.0;
constexpr double kBottom = 42.0;
constexpr double kHeight = 290.0;
constexpr double kWidth = 500.0;
constexpr int kYTicks = 5;
constexpr int kXTicks = 8;
constexpr double kClipMargin = 4.0;
constexpr double kTickGap = 46.0;

Range RangeOf(const ChartAxis& axis, const std::vector<Series>& series, double CurvePoint::*value) {
  Range range{.low = HUGE_VAL, .high = -HUGE_VAL};
  for (const Series& one : series) {
    for (const CurvePoint& point : one.points) {
      range.low = std::min(range.low, point.*value);
      range.high = std::max(range.high, point.*value);
    }
  }
  return {.low = axis.low.value_or(range.low), .high = axis.high.value_or(range.high)};
}

size_t ColourOf(size_t colour) { return colour % kPaletteSize; }

// Draws into the rectangle between the margins.
class Plot {
 public:
  Plot(const Chart& chart, Range x, Range y)
      : chart_(chart), x_range_(x), y_range_(y), x_(chart.x.scale, x), y_(chart.y.scale, y) {}

  std::string Svg() {
    Add("<svg viewBox=\"0 0 {:g} {:g}\" role=\"img\" aria-label=\"{}\" data-left=\"{:g}\" "
        "data-right=\"{:g}\" data-top=\"{:g}\" data-bottom=\"{:g}\" data-xs=\"{}\" data-ys=\"{}\" "
        "data-xn=\"{}\">",
        kWidth, kHeight, EscapeHtml(chart_.title), kLeft, kWidth - kRight, kTop, kHeight - kBottom,
        StyleName(chart_.x.numbers), StyleName(chart_.y.numbers), EscapeHtml(chart_.x.label));
    AddAxes();
    // The inner picture cuts off what leaves the axes.
    const double inner_width = kWidth - kLeft - kRight + 2.0 * kClipMargin;
    const double inner_height = kHeight - kTop - kBottom + 2.0 * kClipMargin;
    Add("<svg x=\"{0:g}\" y=\"{1:g}\" width=\"{2:g}\" height=\"{3:g}\" "
        "viewBox=\"{0:g} {1:g} {2:g} {3:g}\">",
        kLeft - kClipMargin, kTop - kClipMargin, inner_width, inner_height);
    for (const SeriesStyle style :
         {SeriesStyle::kFaint, SeriesStyle::kArea, SeriesStyle::kDashed, SeriesStyle::kLine}) {
      for (const Series& series : chart_.series) {
        if (series.style == style && !series.points.empty()) AddSeries(series);
      }
    }
    for (const ChartMark& mark : chart_.marks) AddMark(mark);
    svg_ += "</svg>";
    for (const ChartRule& rule : chart_.rules) AddRule(rule);
    svg_ += "</svg>";
    return std::move(svg_);
  }

 private:
  template <typename... T>
  void Add(fmt::format_string<T...> format, T&&... arguments) {
    fmt::format_to(std::back_inserter(svg_), format, std::forward<T>(arguments)...);
  }

  static const char* StyleName(NumberStyle style) {
    return style == NumberStyle::kPercent ? "percent" : "plain";
  }
  double X(double value) const { return kLeft + x_.Place(value) * (kWidth - kLeft - kRight); }
  double Y(double value) const {
    return kHeight - kBottom - y_.Place(value) * (kHeight - kTop - kBottom);
  }

  void AddAxes() {
    const double bottom = kHeight - kBottom;
    double last = kHeight * 2.0;
    for (const Tick& tick : y_.Ticks(kYTicks, chart_.y.numbers)) {
      const double y = Y(tick.value);
      Add("<line class=\"grid\" x1=\"{:g}\" x2=\"{:g}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>", kLeft,
          kWidth - kRight, y, y);
      if (last - y < kTickGap / 3.0) continue;
      last = y;
      Add("<text class=\"tick\" x=\"{:g}\" y=\"{:.1f}\" text-anchor=\"end\">{}</text>", kLeft - 7.0,
          y + 4.0, tick.label);
    }
    last = -kTickGap;
    for (const Tick& tick : x_.Ticks(kXTicks, chart_.x.numbers)) {
      const double x = X(tick.value);
      Add("<line class=\"axis\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:g}\" y2=\"{:g}\"/>", x, x,
          bottom, bottom + 5.0);
      if (x - last < kTickGap) continue;
      last = x;
      Add("<text class=\"tick\" x=\"{:.1f}\" y=\"{:g}\" text-anchor=\"middle\">{}</text>", x,
          bottom + 19.0, tick.label);
    }
    Add("<line class=\"axis\" x1=\"{:g}\" x2=\"{:g}\" y1=\"{:g}\" y2=\"{:g}\"/>", kLeft,
        kWidth - kRight, bottom, bottom);
    Add("<text class=\"name\" x=\"{:g}\" y=\"{:g}\" text-anchor=\"end\">{}</text>", kWidth - kRight,
        kHeight - 6.0, EscapeHtml(chart_.x.label));
    if (chart_.diagonal) AddDiagonal();
  }

  void AddDiagonal() {
    // The diagonal goes as far as both axes do.
    const double low = std::max(x_range_.low, y_range_.low);
    const double high = std::min(x_range_.high, y_range_.high);
    if (!(low < high)) return;
    Add("<line class=\"rule\" x1=\"{:.1f}\" y1=\"{:.1f}\" x2=\"{:.1f}\" y2=\"{:.1f}\"/>", X(low),
        Y(low), X(high), Y(high));
  }

  void AddSeries(const Series& series) {
    const bool area = series.style == SeriesStyle::kArea;
    const bool faint = series.style == SeriesStyle::kFaint;
    const std::string name = EscapeHtml(series.name);
    std::string places;
    for (const CurvePoint& point : series.points) {
      fmt::format_to(std::back_inserter(places), "{}{:.1f},{:.1f}", places.empty() ? "" : " ",
                     X(point.x), Y(point.y));
    }
    if (area) {
      Add("<path class=\"area c{}\" d=\"{}\" data-at=\"{}\"", ColourOf(series.colour),
          AreaPath(series.points), places);
    } else {
      const char* const kind = faint ? "faint" : "line";
      const char* const dashed = series.style == SeriesStyle::kDashed ? " dashed" : "";
      Add("<polyline class=\"{}{} c{}\" points=\"{}\"", kind, dashed, ColourOf(series.colour),
          places);
    }
    Add(" data-name=\"{}\"", name);
    if (!faint) {
      Add(" data-x=\"{}\" data-y=\"{}\"", Values(series.points, &CurvePoint::x),
          Values(series.points, &CurvePoint::y));
    }
    svg_ += "/>";
    // A line of a single point would not be seen.
    if (series.points.size() == 1 && !area && !faint) {
      Add("<circle class=\"dot c{}\" data-name=\"{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3\"/>",
          ColourOf(series.colour), name, X(series.points[0].x), Y(series.points[0].y));
    }
  }

  static std::string Values(const Curve& curve, double CurvePoint::*value) {
    std::string text;
    for (const CurvePoint& point : curve) {
      fmt::format_to(std::back_inserter(text), "{}{:.6g}", text.empty() ? "" : " ", point.*value);
    }
    return text;
  }

  // Goes in steps over each run of points above 0, and back on the baseline.
  std::string AreaPath(const Curve& curve) const {
    const double half = curve.size() > 1 ? (curve[1].x - curve[0].x) / 2.0 : 0.5;
    std::string path;
    bool inside = false;
    for (const CurvePoint& point : curve) {
      if (point.y > 0.0 && !inside) {
        path += fmt::format("M{:.1f},{:.1f}", X(point.x - half), Y(0.0));
      } else if (point.y <= 0.0 && inside) {
        path += fmt::format("V{:.1f}Z", Y(0.0));
      }
      inside = point.y > 0.0;
      if (inside) path += fmt::format("V{:.1f}H{:.1f}", Y(point.y), X(point.x + half));
    }
    return inside ? path + fmt::format("V{:.1f}Z", Y(0.0)) : path;
  }

  void AddMark(const ChartMark& mark) {
    const double x = X(mark.x);
    Add("<line class=\"whisker c{}\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:.1f}\" y2=\"{:.1f}\"/>",
        ColourOf(mark.colour), x, x, Y(mark.low), Y(mark.high));
    Add("<circle class=\"dot c{}\" cx=\"{:.1f}\" cy=\"{:.1f}\" r=\"3.5\"/>", ColourOf(mark.colour),
        x, Y(mark.y));
  }

  void AddRule(const ChartRule& rule) {
    const double x = X(rule.x);
    if (!(x >= kLeft && x <= kWidth - kRight)) return;
    const bool to_left = x > (kLeft + kWidth - kRight) / 2.0;
    Add("<line class=\"rule\" x1=\"{:.1f}\" x2=\"{:.1f}\" y1=\"{:g}\" y2=\"{:g}\"/>", x, x, kTop,
        kHeight - kBottom);
    Add("<text class=\"word\" x=\"{:.1f}\" y=\"{:g}\" text-anchor=\"{}\">{}</text>",
        to_left ? x - 6.0 : x + 6.0, kTop + 10.0, to_left ? "end" : "start",
        EscapeHtml(rule.label));
  }

  const Chart& chart_;
  const Range x_range_;
  const Range y_range_;
  const Scale x_;
  const Scale y_;
  std::string svg_;
};

// One button for each name, where there is more than one.
std::string Legend(const std::vector<Series>& series) {
  std::vector<std::string> names;
  std::string buttons;
  for (const Series& one : series) {
    if (one.points.empty() || std::find(names.begin(), names.end(), one.name) != names.end()) {
      continue;
    }
    names.push_back(one.name);
    buttons += fmt::format(
        "<button type=\"button\" class=\"key\" aria-pressed=\"true\" data-name=\"{0}\">"
        "<i class=\"swatch c{1}{2}\"></i>{0}</button>",
        EscapeHtml(one.name), ColourOf(one.colour),
        one.style == SeriesStyle::kDashed ? " dashed" : "");
  }
  return names.size() < 2 ? "" : "<div class=\"legend\">" + buttons + "</div>";
}

}  // namespace

std::string ChartFigure(const Chart& chart) {
  const bool empty = std::all_of(chart.series.begin(), chart.series.end(),
                                 [](const Series& series) { return series.points.empty(); });
  if (empty) return "";
  const Range x = RangeOf(chart.x, chart.series, &CurvePoint::x);
  const Range y = RoundRange(chart.y.scale, RangeOf(chart.y, chart.series, &CurvePoint::y));
  std::string figure =
      fmt::format("<figure class=\"chart\"><div class=\"head\"><h3>{}</h3>{}</div>",
                  EscapeHtml(chart.title), Legend(chart.series));
  figure += Plot(chart, x, y).Svg();
  if (!chart.caption.empty()) {
    figure += fmt::format("<figcaption>{}</figcaption>", EscapeHtml(chart.caption));
  }
  return figure + "</figure>\n";
}

}  // namespace facegate::report
