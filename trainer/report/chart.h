#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "trainer/report/curve.h"
#include "trainer/report/scale.h"

namespace facegate::report {

enum class SeriesStyle {
  kLine,
  kDashed,
  kFaint,  // behind the others and without a tooltip: the noise around a smooth line
  kArea,   // filled steps around each x, for histograms; the points are evenly spaced
};

struct Series {
  std::string name;   // in the legend and the tooltip; series of one name are switched together
  size_t colour = 0;  // of the page's palette, which begins anew after its last
  SeriesStyle style = SeriesStyle::kLine;
  Curve points;
};

struct ChartAxis {
  std::string label;
  ScaleKind scale = ScaleKind::kLinear;
  NumberStyle numbers = NumberStyle::kPlain;
  std::optional<double> low{};  // else from the series' points
  std::optional<double> high{};
};

// A point with its interval in y.
struct ChartMark {
  double x = 0.0;
  double y = 0.0;
  double low = 0.0;
  double high = 0.0;
  size_t colour = 0;
};

// A thin dashed line, with a word beside it.
struct ChartRule {
  double x = 0.0;
  std::string label;
};

struct Chart {
  std::string title;
  std::string caption;  // a sentence below; may be empty
  ChartAxis x;
  ChartAxis y;
  std::vector<Series> series;
  std::vector<ChartMark> marks{};
  std::vector<ChartRule> rules{};
  bool diagonal = false;  // a thin line where x equals y
};

// A <figure> with the chart as inline SVG, drawn with the classes and colours of page_style.h. All
// texts are escaped here. Empty where no series has a point.
std::string ChartFigure(const Chart& chart);

}  // namespace facegate::report
