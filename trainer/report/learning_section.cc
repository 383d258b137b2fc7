#include "trainer/report/learning_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>
#include <vector>

#include "face/base/escape_html.h"
#include "trainer/report/chart.h"

namespace facegate::report {
namespace {

constexpr size_t kRawPoints = 800;
constexpr size_t kSmoothPoints = 400;
constexpr double kSpikes = 0.01;  // of the raw values may leave the chart at each end
constexpr double kManyfold = 50.0;

template <typename Row>
Curve CurveOf(std::span<const Row> rows, double Row::*value) {
  Curve curve;
  curve.reserve(rows.size());
  for (const Row& row : rows) {
    if (std::isfinite(row.*value)) {
      curve.push_back({.x = static_cast<double>(row.batch), .y = row.*value});
    }
  }
  return curve;
}

// Returns where the middle of the values lies, without rare spikes.
Range BulkOf(const Curve& curve) {
  std::vector<double> values;
  values.reserve(curve.size());
  for (const CurvePoint& point : curve) values.push_back(point.y);
  std::sort(values.begin(), values.end());
  const auto spikes = static_cast<size_t>(kSpikes * static_cast<double>(values.size()));
  return {.low = values[spikes], .high = values[values.size() - 1 - spikes]};
}

// The smooth curve and, where it differs, the raw one behind it. Widens `bulk`.
void AddCurves(const Curve& raw, const std::string& name, size_t colour, Chart& chart,
               Range& bulk) {
  if (raw.empty()) return;
  const Range own = BulkOf(raw);
  const Curve smooth = Smoothed(raw);
  bulk = {.low = std::min(bulk.low, own.low), .high = std::max(bulk.high, own.high)};
  for (const CurvePoint& point : smooth) {
    bulk = {.low = std::min(bulk.low, point.y), .high = std::max(bulk.high, point.y)};
  }
  const bool differs = !std::equal(
      raw.begin(), raw.end(), smooth.begin(),
      [](const CurvePoint& a, const CurvePoint& b) { return std::abs(a.y - b.y) <= 1e-12; });
  if (differs) {
    chart.series.push_back({.name = name,
                            .colour = colour,
                            .style = SeriesStyle::kFaint,
                            .points = Thinned(raw, kRawPoints)});
  }
  chart.series.push_back(
      {.name = name, .colour = colour, .points = Thinned(smooth, kSmoothPoints)});
}

std::vector<std::string> SetsOf(std::span<const EvaluationRow> rows) {
  std::vector<std::string> names;
  for (const EvaluationRow& row : rows) {
    if (std::find(names.begin(), names.end(), row.set) == names.end()) names.push_back(row.set);
  }
  return names;
}

std::vector<EvaluationRow> RowsOf(std::span<const EvaluationRow> rows, const std::string& set) {
  std::vector<EvaluationRow> own;
  std::copy_if(rows.begin(), rows.end(), std::back_inserter(own),
               [&set](const EvaluationRow& row) { return row.set == set; });
  return own;
}

template <typename Row>
struct NamedColumn {
  const char* name;
  double Row::*value;
};
using StepCurve = NamedColumn<StepRow>;
using ValidationCurve = NamedColumn<ValidationRow>;

// Charts that have the batches on one and the same axis.
class LearningCharts {
 public:
  LearningCharts(std::span<const StepRow> steps, std::span<const EvaluationRow> evaluations,
                 std::span<const ValidationRow> validation)
      : steps_(steps), evaluations_(evaluations), validation_(validation) {
    for (const StepRow& row : steps) last_batch_ = std::max(last_batch_, row.batch);
    for (const EvaluationRow& row : evaluations) last_batch_ = std::max(last_batch_, row.batch);
    for (const ValidationRow& row : validation) last_batch_ = std::max(last_batch_, row.batch);
  }

  // Columns of the steps, smoothed, with the raw values behind them. With `from_zero` the axis
  // begins there.
  std::string Steps(const char* title, NumberStyle style, const std::vector<StepCurve>& curves,
                    bool from_zero) const {
    Chart chart = EmptyChart(title, style);
    Range bulk{.low = HUGE_VAL, .high = -HUGE_VAL};
    for (size_t i = 0; i < curves.size(); ++i) {
      AddCurves(CurveOf(steps_, curves[i].value), curves[i].name, i, chart, bulk);
    }
    if (chart.series.empty()) return "";
    if (from_zero) {
      bulk.low = std::min(bulk.low, 0.0);
    } else if (bulk.low > 0.0 && bulk.high > kManyfold * bulk.low) {
      chart.y.scale = ScaleKind::kLog;
    } else if (bulk.low > 0.0 && bulk.low < 0.5 * bulk.high) {
      bulk.low = 0.0;
    }
    chart.y.low = bulk.low;
    chart.y.high = bulk.high;
    return ChartFigure(chart);
  }

  // Draws the rate as it is, from 0.
  std::string LearningRate() const {
    Chart chart = EmptyChart("Learning rate", NumberStyle::kPlain);
    chart.y.low = 0.0;
    chart.series.push_back(
        {.name = "learning rate",
         .colour = 2,
         .points = Thinned(CurveOf(steps_, &StepRow::learning_rate), kRawPoints)});
    return ChartFigure(chart);
  }

  // A line for each set.
  std::string Evaluations(const char* title, double EvaluationRow::*value) const {
    Chart chart = EmptyChart(title, NumberStyle::kPercent);
    for (const std::string& set : SetsOf(evaluations_)) {
      const std::vector<EvaluationRow> own = RowsOf(evaluations_, set);
      chart.series.push_back(
          {.name = set,
           .colour = chart.series.size(),
           .points = Thinned(CurveOf(std::span<const EvaluationRow>(own), value), kRawPoints)});
    }
    return ChartFigure(chart);
  }

  // Columns of the validation, as they are.
  std::string Validation(const char* title, NumberStyle style,
                         const std::vector<ValidationCurve>& curves) const {
    Chart chart = EmptyChart(title, style);
    for (const ValidationCurve& curve : curves) {
      chart.series.push_back({.name = curve.name,
                              .colour = chart.series.size(),
                              .points = Thinned(CurveOf(validation_, curve.value), kRawPoints)});
    }
    return validation_.empty() ? "" : ChartFigure(chart);
  }

 private:
  Chart EmptyChart(const char* title, NumberStyle style) const {
    return {.title = title,
            .caption = {},
            .x = {.label = "batch", .low = 0.0, .high = static_cast<double>(last_batch_)},
            .y = {.label = {}, .numbers = style},
            .series = {}};
  }

  const std::span<const StepRow> steps_;
  const std::span<const EvaluationRow> evaluations_;
  const std::span<const ValidationRow> validation_;
  int64_t last_batch_ = 1;
};

std::string Percent(double share) {
  return std::isfinite(share) ? fmt::format("{:.2f} %", 100.0 * share) : "–";
}

std::string TableRow(const EvaluationRow& row, const char* which) {
  return fmt::format(
      "<tr><td>{}</td><td>{}</td><td>{}</td><td>{}{}</td><td>{}</td><td>{}</td><td>{}</td></tr>",
      EscapeHtml(row.set), which, row.batch, Percent(row.accuracy),
      std::isfinite(row.deviation) ? fmt::format(" <small>± {:.2f}</small>", 100.0 * row.deviation)
                                   : "",
      Percent(row.tar_1e2), Percent(row.tar_1e3), Percent(row.eer));
}

std::string EvaluationTable(std::span<const EvaluationRow> rows,
                            std::optional<int64_t> best_batch) {
  if (rows.empty()) return "";
  std::string table =
      "<div class=\"table\"><table><thead><tr><th>set</th><th>evaluation</th><th>after "
      "batch</th><th>accuracy</th>"
      "<th>TAR at FAR 10⁻²</th><th>at 10⁻³</th><th>EER</th></tr></thead><tbody>";
  for (const std::string& set : SetsOf(rows)) {
    const std::vector<EvaluationRow> own = RowsOf(rows, set);
    const bool last_is_best = own.back().batch == best_batch;
    const auto best = std::find_if(own.begin(), own.end(), [best_batch](const EvaluationRow& row) {
      return row.batch == best_batch;
    });
    if (best != own.end() && !last_is_best) table += TableRow(*best, "best");
    table += TableRow(own.back(), last_is_best ? "last and best" : "last");
  }
  return table + "</tbody></table></div>\n";
}

std::string LastValidation(std::span<const ValidationRow> rows) {
  if (rows.empty()) return "";
  const ValidationRow& last = rows.back();
  return fmt::format(
      "<p>Photos that were kept from training, after batch {}: a loss of {:.4f}; the right class "
      "is the nearest of {}, among the nearest 3 of {}, 5 of {}, 10 of {}.</p>\n",
      last.batch, last.loss, Percent(last.top_1), Percent(last.top_3), Percent(last.top_5),
      Percent(last.top_10));
}

std::string LossesLeftOut(std::span<const StepRow> steps) {
  const auto count = std::count_if(steps.begin(), steps.end(),
                                   [](const StepRow& row) { return !std::isfinite(row.loss); });
  if (count == 0) return "";
  return fmt::format(
      "<p>{} of {} batches have a loss that is not a finite number; they are not in the "
      "charts.</p>\n",
      count, steps.size());
}

}  // namespace

std::string LearningSection(std::span<const StepRow> steps,
                            std::span<const EvaluationRow> evaluations,
                            std::span<const ValidationRow> validation,
                            std::optional<int64_t> best_batch) {
  if (steps.empty() && evaluations.empty() && validation.empty()) return "";
  std::string section = "<section><h2>Learning</h2>\n" + LossesLeftOut(steps);
  section += EvaluationTable(evaluations, best_batch);
  section += LastValidation(validation);
  section += "<div class=\"charts\">\n";
  const LearningCharts charts(steps, evaluations, validation);
  section += charts.Steps("Loss", NumberStyle::kPlain,
                          {{"loss", &StepRow::loss},
                           {"distillation", &StepRow::distillation},
                           {"maps", &StepRow::map_distillation}},
                          /*from_zero=*/false);
  section += charts.Steps("Accuracy on the batch learned from", NumberStyle::kPercent,
                          {{"accuracy", &StepRow::accuracy}}, /*from_zero=*/true);
  section += charts.Validation("Loss of photos kept from training", NumberStyle::kPlain,
                               {{"loss", &ValidationRow::loss}});
  section += charts.Validation("Right class among the nearest, photos kept from training",
                               NumberStyle::kPercent,
                               {{"1", &ValidationRow::top_1},
                                {"3", &ValidationRow::top_3},
                                {"5", &ValidationRow::top_5},
                                {"10", &ValidationRow::top_10}});
  section += charts.Evaluations("Verification accuracy", &EvaluationRow::accuracy);
  section += charts.Evaluations("True accepts at FAR 10⁻³", &EvaluationRow::tar_1e3);
  section += charts.LearningRate();
  section += charts.Steps("Gradient norm", NumberStyle::kPlain,
                          {{"gradient norm", &StepRow::gradient_norm}}, /*from_zero=*/true);
  section += charts.Steps("Images per second", NumberStyle::kPlain,
                          {{"images per second", &StepRow::images_per_second}},
                          /*from_zero=*/true);
  return section + "</div>\n</section>\n";
}

}  // namespace facegate::report
