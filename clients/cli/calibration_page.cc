#include "clients/cli/calibration_page.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>
#include <vector>

#include "clients/cli/report.h"
#include "face/base/escape_html.h"

namespace facegate::cli {
namespace {

using Row = v1::GetCalibrationResponse::Row;

constexpr std::string_view kStyle = R"css(
:root { color-scheme: light dark; --paper: #fdfdfb; --ink: #1c1c1a; --soft: #63635c; --grid: #e4e2da;
  --fmr: #1465a8; --fnmr: #c8471b; --card: #5b6470; --warn: #b3261e; }
@media (prefers-color-scheme: dark) {
  :root { --paper: #16181b; --ink: #e9e7e1; --soft: #a3a39b; --grid: #2d3035; --fmr: #74b7f7;
    --fnmr: #ff9a70; --card: #aab3bf; --warn: #ff8a80; } }
body { margin: 0; background: var(--paper); color: var(--ink); font: 16px/1.55 system-ui, sans-serif; }
main { max-width: 820px; margin: 0 auto; padding: 40px 24px 64px; }
h1 { font-size: 28px; margin: 0 0 8px; overflow-wrap: anywhere; }
p { max-width: 44em; }
.soft, figcaption { color: var(--soft); font-size: 14px; }
.warning { border-left: 3px solid var(--warn); padding-left: 12px; }
figure { margin: 24px 0; }
svg { display: block; width: 100%; height: auto; }
svg text { fill: var(--soft); font-size: 12px; }
.grid { stroke: var(--grid); } .rule { stroke: var(--soft); stroke-dasharray: 3 3; }
.fmr { stroke: var(--fmr); fill: none; stroke-width: 2; } .fmr-band { fill: var(--fmr); opacity: 0.18; }
.fnmr { stroke: var(--fnmr); fill: none; stroke-width: 2; } .fnmr-band { fill: var(--fnmr); opacity: 0.18; }
.card { stroke: var(--card); fill: none; stroke-width: 2; stroke-dasharray: 6 4; }
.legend span { margin-right: 20px; } .legend b { font-weight: 600; }
.legend .key { display: inline-block; width: 22px; margin-right: 6px; vertical-align: middle; border-top: 2px solid; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: 14px; }
th, td { text-align: right; padding: 4px 14px 4px 0; border-bottom: 1px solid var(--grid); white-space: nowrap; }
)css";

// Thresholds across, rates up on a logarithmic scale.
class RateChart {
 public:
  RateChart(double low, double high) : low_(low), high_(std::max(high, low + 0.01)) {}

  void AddGrid() {
    for (int decade = 0; decade >= kLowestDecade; --decade) {
      const double y = Y(std::pow(10.0, decade));
      svg_ += fmt::format(R"(<line class="grid" x1="{}" y1="{:.1f}" x2="{}" y2="{:.1f}"/>)", kLeft,
                          y, kRight, y);
      svg_ += fmt::format(R"(<text x="{}" y="{:.1f}" text-anchor="end">{:g}</text>)", kLeft - 6,
                          y + 4, std::pow(10.0, decade));
    }
    const double step = high_ - low_ > 0.8 ? 0.2 : 0.1;
    for (double at = std::ceil(low_ / step) * step; at <= high_ + 1e-9; at += step) {
      svg_ += fmt::format(R"(<text x="{:.1f}" y="{}" text-anchor="middle">{:.1f}</text>)", X(at),
                          kBottom + 18, at);
    }
    svg_ += fmt::format(R"(<text x="{}" y="{}" text-anchor="middle">threshold, a cosine</text>)",
                        (kLeft + kRight) / 2, kBottom + 36);
  }

  // `rate` of each row that has one: its line and its interval.
  template <typename RateOf>
  void Add(const google::protobuf::RepeatedPtrField<Row>& rows, const RateOf& rate, bool band,
           std::string_view style, std::string_view name) {
    std::vector<std::pair<double, const v1::ErrorRate*>> points;
    for (const Row& row : rows) {
      if (row.threshold() < low_ || row.threshold() > high_) continue;
      if (const v1::ErrorRate* const one = rate(row)) points.emplace_back(row.threshold(), one);
    }
    if (points.empty()) return;
    legend_ += fmt::format(
        R"html(<span><i class="key" style="border-top-style:{};color:var(--{})"></i>{}</span>)html",
        band ? "solid" : "dashed", style, EscapeHtml(name));
    if (band) {
      std::string outline;
      for (const auto& [at, one] : points) outline += Point(at, one->upper());
      for (auto point = points.rbegin(); point != points.rend(); ++point) {
        outline += Point(point->first, point->second->lower());
      }
      svg_ += fmt::format(R"(<polygon class="{}-band" points="{}"/>)", style, outline);
    }
    std::string line;
    for (const auto& [at, one] : points) {
      if (one->rate() >= kLowestRate) line += Point(at, one->rate());
    }
    svg_ += fmt::format(R"(<polyline class="{}" points="{}"/>)", style, line);
  }

  void AddRule(double at, std::string_view name) {
    if (at < low_ || at > high_) return;
    svg_ += fmt::format(R"(<line class="rule" x1="{0:.1f}" y1="{1}" x2="{0:.1f}" y2="{2}"/>)",
                        X(at), kTop, kBottom);
    svg_ += fmt::format(R"(<text x="{:.1f}" y="{}" text-anchor="middle">{}</text>)", X(at),
                        kTop - 6, EscapeHtml(name));
  }

  std::string Figure(std::string_view caption) const {
    return fmt::format(
        R"(<figure><div class="legend">{}</div><svg viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>)"
        R"(<figcaption>{}</figcaption></figure>)",
        legend_, kWidth, kHeight, EscapeHtml(caption), svg_, EscapeHtml(caption));
  }

 private:
  static constexpr int kWidth = 760;
  static constexpr int kHeight = 380;
  static constexpr int kLeft = 60;
  static constexpr int kRight = 740;
  static constexpr int kTop = 24;
  static constexpr int kBottom = 330;
  static constexpr int kLowestDecade = -6;
  static constexpr double kLowestRate = 1e-6;

  double X(double threshold) const {
    return kLeft + (threshold - low_) / (high_ - low_) * (kRight - kLeft);
  }
  static double Y(double rate) {
    const double decades = std::log10(std::clamp(rate, kLowestRate, 1.0));
    return kTop + decades / kLowestDecade * (kBottom - kTop);
  }
  std::string Point(double threshold, double rate) const {
    return fmt::format("{:.1f},{:.1f} ", X(threshold), Y(rate));
  }

  const double low_;
  const double high_;
  std::string svg_;
  std::string legend_;
};

std::string Chart(const v1::GetCalibrationResponse& answer,
                  const std::optional<v1::GetCalibrationResponse>& model_card) {
  if (answer.rows().empty()) return "";
  RateChart chart(answer.rows(0).threshold(), answer.rows(answer.rows_size() - 1).threshold());
  chart.AddGrid();
  const auto fmr = [](const Row& row) { return &row.fmr(); };
  if (model_card.has_value()) {
    chart.Add(model_card->rows(), fmr, false, "card", "FMR by the model card");
  }
  chart.Add(answer.rows(), fmr, true, "fmr", "FMR");
  chart.Add(
      answer.rows(), [](const Row& row) { return row.has_fnmr() ? &row.fnmr() : nullptr; }, true,
      "fnmr", "FNMR");
  if (answer.has_default_row()) chart.AddRule(answer.default_row().threshold(), "decides");
  return chart.Figure(
      "How often a threshold errs: FMR, how often two different people are taken for one; FNMR, "
      "how "
      "often two photos of one person are taken for two people's. The bands hold the rate on "
      "another set of as many people in 95 of 100 cases.");
}

std::string RowOf(const Row& row) {
  return fmt::format("<tr><td>{:.3f}</td><td>{}</td><td>{}{}</td><td>{}</td></tr>\n",
                     row.threshold(), EscapeHtml(DescribeRate(row.fmr())),
                     EscapeHtml(DescribeRate(row.fpir())),
                     row.fpir().by_formula() ? " by formula" : "",
                     row.has_fnmr() ? EscapeHtml(DescribeRate(row.fnmr())) : "–");
}

}  // namespace

std::string CalibrationPage(const std::string& collection, const v1::GetCalibrationResponse& answer,
                            const std::optional<v1::GetCalibrationResponse>& model_card) {
  std::string page = fmt::format(
      "<!doctype html>\n<html lang=\"en\"><head><meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>Error rates of {0}</title>\n<style>{1}</style></head>\n<body><main>\n"
      "<h1>Error rates of {0}</h1>\n",
      EscapeHtml(collection), kStyle);
  page += fmt::format(
      "<p>By {}: {} people, {} photos ({} left out), {} pairs of different people, {} of one "
      "person.</p>\n",
      EscapeHtml(answer.set()), answer.people(), answer.photos(), answer.photos_left_out(),
      answer.impostor_pairs(), answer.genuine_pairs());
  for (const std::string& warning : answer.warnings()) {
    page += fmt::format("<p class=\"warning\">{}</p>\n", EscapeHtml(warning));
  }
  if (answer.has_default_row()) {
    page += fmt::format(
        "<p>Where a request has no operating point, <b>{:.4f}</b> decides: FMR {}{}.</p>\n",
        answer.default_row().threshold(), EscapeHtml(DescribeRate(answer.default_row().fmr())),
        answer.has_model_card_fmr()
            ? ", by the model card " + EscapeHtml(DescribeRate(answer.model_card_fmr()))
            : "");
  }
  page += Chart(answer, model_card);
  page += fmt::format(
      "<div class=\"scroll\"><table><tr><th>threshold</th><th>FMR</th><th>FPIR among {} "
      "templates</th><th>FNMR</th></tr>\n",
      answer.searched_templates());
  for (const Row& row : answer.rows()) page += RowOf(row);
  page += fmt::format(
      "</table></div>\n<p class=\"soft\">FPIR: how often a search for a stranger finds somebody. "
      "By "
      "formula: the gallery is larger than half of the calibrated people. In brackets is what is "
      "to "
      "be expected on another set of as many people. Calibration {}.</p>\n</main></body></html>\n",
      EscapeHtml(answer.calibration_id()));
  return page;
}

}  // namespace facegate::cli
