#include "trainer/report/quality_section.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "face/base/escape_html.h"
#include "trainer/report/chart.h"
#include "trainer/report/html_text.h"
#include "trainer/report/scale.h"

namespace facegate::report {
namespace {

std::string PercentCell(const Share& share) {
  return fmt::format("<span>{:.2f} % <small>[{:.2f} to {:.2f}]</small></span>", 100.0 * share.value,
                     100.0 * share.low, 100.0 * share.high);
}

// A cell with the name of its column, which narrow pages show beside it.
std::string Cell(const std::string& column, const std::string& value) {
  return fmt::format("<td data-name=\"{}\">{}</td>", column, value);
}

std::string PlainPercent(const DecisionCounts& counts, size_t count) {
  return fmt::format("{:.1f} %", 100.0 * counts.ShareOfAll(count));
}

std::string TableHead(const std::vector<std::string>& columns) {
  std::string head = "<div class=\"table stack\"><table><thead><tr>";
  for (const std::string& column : columns) head += fmt::format("<th>{}</th>", column);
  return head + "</tr></thead><tbody>\n";
}

constexpr char kTableEnd[] = "</tbody></table></div>\n";

std::string AcquisitionFacts(const QualityFigures& figures) {
  const AcquisitionRates& rates = figures.acquisition;
  const auto text = [&](const AcquisitionFigures& of, double least) {
    const AcquisitionCounts& counts = of.counts;
    const std::string below =
        figures.measured ? fmt::format("{} below quality {:g}, ", counts.below_quality, least) : "";
    const Share rate = of.failures;
    return fmt::format("{:.2f} % ({:.2f} to {:.2f}): {}{} without a face, of {} photos",
                       100.0 * rate.value, 100.0 * rate.low, 100.0 * rate.high, below,
                       counts.no_face, counts.total());
  };
  const std::vector<std::pair<std::string, std::string>> facts = {
      {"failure to enrol", text(rates.enrol, rates.limits.enrol)},
      {"failure to acquire", text(rates.probe, rates.limits.probe)}};
  return FactList(facts);
}

std::string DiscardFigure(const QualityFigures& figures) {
  Chart chart{.title = "Error versus discard",
              .caption =
                  "The photos of the lowest quality are left out; the threshold stays. A quality "
                  "that tells which photos lead to errors lets the line fall.",
              .x = {.label = "share of photos left out", .numbers = NumberStyle::kPercent},
              .y = {.label = {}, .numbers = NumberStyle::kPercent, .low = 0.0},
              .series = {}};
  for (size_t i = 0; i < figures.discards.size(); ++i) {
    const ErrorDiscardCurve& curve = figures.discards[i];
    Series series{
        .name = fmt::format("FNMR at FAR {}", NumberText(curve.far, 1.0, NumberStyle::kPower)),
        .colour = i,
        .points = {}};
    for (const ErrorAtDiscard& point : curve.points) {
      series.points.push_back({.x = point.discarded, .y = point.rates.fnmr.value});
      chart.marks.push_back({.x = point.discarded,
                             .y = point.rates.fnmr.value,
                             .low = point.rates.fnmr.low,
                             .high = point.rates.fnmr.high,
                             .colour = i});
    }
    chart.series.push_back(std::move(series));
  }
  return ChartFigure(chart);
}

std::string DiscardTable(const ErrorDiscardCurve& curve) {
  std::string table = fmt::format(
      "<h4>Cosine above {:.4f}: FAR {} of the pairs with faces</h4>\n<p>Mean FNMR up to 20 % left "
      "out: {:.2f} "
      "of what it is without leaving out.</p>\n",
      curve.threshold, NumberText(curve.far, 1.0, NumberStyle::kPower), curve.relative_area);
  table += TableHead({"left out", "least quality", "genuine", "FNMR", "impostor", "FMR"});
  for (const ErrorAtDiscard& point : curve.points) {
    table += fmt::format("<tr><td>{:.1f} %</td>{}{}{}{}{}</tr>\n", 100.0 * point.discarded,
                         Cell("least quality", fmt::format("{:.3f}", point.least_quality)),
                         Cell("genuine", std::to_string(point.rates.genuine)),
                         Cell("FNMR", PercentCell(point.rates.fnmr)),
                         Cell("impostor", std::to_string(point.rates.impostor)),
                         Cell("FMR", PercentCell(point.rates.fmr)));
  }
  return table + kTableEnd;
}

std::string Discards(const QualityFigures& figures) {
  if (figures.discards.empty()) return "";
  std::string section = "<div class=\"charts\">\n" + DiscardFigure(figures) + "</div>\n";
  for (const ErrorDiscardCurve& curve : figures.discards) section += DiscardTable(curve);
  return section;
}

std::string Strangers(const QualityFigures& figures) {
  if (figures.strangers.empty()) return "";
  std::string section = fmt::format(
      "<section><h2>Strangers whose photos are bad alike</h2>\n<p>All pairs of {} photos of as "
      "many people at cosine above {:.4f} (FAR {} of the pairs of the set).</p>\n",
      figures.strangers.front().probe.counts.total(), figures.stranger_threshold,
      NumberText(figures.stranger_far, 1.0, NumberStyle::kPower));
  section += TableHead({"degradation", "pairs", "false matches", "without a least quality",
                        "inconclusive", "no face", "failure to acquire"});
  for (const StrangerRow& row : figures.strangers) {
    section += fmt::format(
        "<tr><td>{}</td>{}{}{}{}{}{}</tr>\n", EscapeHtml(row.degradation),
        Cell("pairs", std::to_string(row.gated.total())),
        Cell("false matches", PercentCell(row.false_matches)),
        Cell("without a least quality", PlainPercent(row.ungated, row.ungated.match)),
        Cell("inconclusive", PlainPercent(row.gated, row.gated.inconclusive)),
        Cell("no face", PlainPercent(row.gated, row.gated.no_face)),
        Cell("failure to acquire", fmt::format("{:.1f} %", 100.0 * row.probe.failures.value)));
  }
  return section + kTableEnd + "</section>\n";
}

std::string GroupTable(const QualityFigures& figures, size_t threshold) {
  std::string table = fmt::format(
      "<h4>Cosine above {:.4f}: FAR {} of all pairs</h4>\n", figures.group_thresholds[threshold],
      NumberText(figures.group_fars[threshold], 1.0, NumberStyle::kPower));
  table += TableHead({"group", "people", "photos", "failure to enrol", "to acquire", "genuine",
                      "FNMR", "impostor", "FMR"});
  for (const GroupFigures& group : figures.groups) {
    const PairRates& rates = group.rates[threshold];
    const auto rate = [](size_t pairs, const Share& share) {
      return pairs == 0 ? std::string("–") : PercentCell(share);
    };
    table += fmt::format("<tr><td>{}</td>{}{}{}{}{}{}{}{}</tr>\n", EscapeHtml(group.name),
                         Cell("people", std::to_string(group.people)),
                         Cell("photos", std::to_string(group.photos)),
                         Cell("failure to enrol", PercentCell(group.acquisition.enrol.failures)),
                         Cell("to acquire", PercentCell(group.acquisition.probe.failures)),
                         Cell("genuine", std::to_string(rates.genuine)),
                         Cell("FNMR", rate(rates.genuine, rates.fnmr)),
                         Cell("impostor", std::to_string(rates.impostor)),
                         Cell("FMR", rate(rates.impostor, rates.fmr)));
  }
  return table + kTableEnd;
}

std::string Groups(const QualityFigures& figures) {
  if (figures.groups.empty()) return "";
  std::string section =
      "<section><h2>Groups of people</h2>\n<p>Impostor pairs of a group are of two of its people; "
      "all groups have one threshold. Differences that the intervals do not show may be "
      "chance.</p>\n";
  for (size_t i = 0; i < figures.group_thresholds.size(); ++i) section += GroupTable(figures, i);
  return section + "</section>\n";
}

}  // namespace

std::string QualitySection(const QualityFigures& figures) {
  return "<section><h2>Photos that can be compared</h2>\n" + AcquisitionFacts(figures) +
         Discards(figures) +
         "<p>In brackets and parentheses: 95 % intervals from drawing people "
         "anew.</p>\n</section>\n" +
         Strangers(figures) + Groups(figures);
}

}  // namespace facegate::report
