#include "trainer/sweep/sweep_page.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <vector>

#include "face/base/counted.h"
#include "face/base/escape_html.h"
#include "face/base/file.h"
#include "trainer/report/html_text.h"
#include "trainer/report/parallel_axes.h"
#include "trainer/report/scale.h"
#include "trainer/sweep/fold_scores.h"
#include "trainer/sweep/sweep_table.h"

namespace facegate {
namespace {

using report::NumberStyle;
using report::ParallelAxis;
using report::ParallelLine;
using report::Scale;
using report::ScaleKind;

constexpr int kTicks = 6;
// Round numbers that are nearer to the end of a range leave the room to that.
constexpr double kNearAnEnd = 0.05;

double NumberOf(const std::string& text) {
  double number = 0.0;
  std::from_chars(text.data(), text.data() + text.size(), number);
  return number;
}

Scale ScaleOf(const TriedKey& tried) {
  return {tried.log ? ScaleKind::kLog : ScaleKind::kLinear, {.low = tried.low, .high = tried.high}};
}

// Choices stand as far from each other as from the ends.
double PlaceOfChoice(size_t number, size_t count) {
  return (static_cast<double>(number) + 0.5) / static_cast<double>(count);
}

ParallelAxis AxisOf(const TriedKey& tried) {
  ParallelAxis axis{.name = tried.key, .ticks = {}};
  for (size_t i = 0; i < tried.choices.size(); ++i) {
    axis.ticks.push_back(
        {.place = PlaceOfChoice(i, tried.choices.size()), .label = tried.choices[i]});
  }
  if (!tried.choices.empty()) return axis;
  axis.ticks = {{.place = 0.0, .label = fmt::format("{:.6g}", tried.low)},
                {.place = 1.0, .label = fmt::format("{:.6g}", tried.high)}};
  const Scale scale = ScaleOf(tried);
  for (const report::Tick& tick : scale.Ticks(kTicks, NumberStyle::kPlain)) {
    const double place = scale.Place(tick.value);
    if (std::min(place, 1.0 - place) < kNearAnEnd) continue;
    axis.ticks.push_back({.place = place, .label = fmt::format("{:.6g}", tick.value)});
  }
  return axis;
}

double PlaceOf(const TriedKey& tried, const std::string& value) {
  if (tried.choices.empty()) return ScaleOf(tried).Place(NumberOf(value));
  const auto found = std::find(tried.choices.begin(), tried.choices.end(), value);
  return PlaceOfChoice(static_cast<size_t>(found - tried.choices.begin()), tried.choices.size());
}

// Where scores lie on their axis, the best at the top.
class ScoreAxis {
 public:
  explicit ScoreAxis(const SweepReport& report)
      : is_error_(report.scoring.is_error()),
        style_(report.scoring.is_loss() ? NumberStyle::kPlain : NumberStyle::kPercent),
        name_(report.scoring.measure),
        scale_(ScaleKind::kLinear, RangeOf(report)) {}

  double Place(double score) const {
    const double place = scale_.Place(is_error_ ? -score : score);
    return is_error_ ? 1.0 - place : place;
  }

  ParallelAxis axis() const {
    ParallelAxis axis{.name = name_, .ticks = {}};
    for (const report::Tick& tick : scale_.Ticks(kTicks, style_)) {
      axis.ticks.push_back(
          {.place = Place(is_error_ ? -tick.value : tick.value), .label = tick.label});
    }
    return axis;
  }

 private:
  static report::Range RangeOf(const SweepReport& report) {
    std::optional<report::Range> range;
    for (const TrialRecord& trial : report.record.trials) {
      const auto score = trial.score();
      if (!score.has_value()) continue;
      const double value = report.scoring.is_error() ? -*score : *score;
      if (!range.has_value()) range = {.low = value, .high = value};
      range = {.low = std::min(range->low, value), .high = std::max(range->high, value)};
    }
    return report::RoundRange(ScaleKind::kLinear, range.value_or(report::Range{}));
  }

  const bool is_error_;
  const NumberStyle style_;
  const std::string name_;
  const Scale scale_;
};

std::string Picture(const SweepReport& report) {
  report::ParallelPicture picture{
      .title = "What was tried, and what came of it",
      .caption =
          "A line for each trial; the best one is coloured, better ones are darker. Dashed "
          "lines end at trials that came to no score.",
      .axes = {},
      .lines = {}};
  for (const TriedKey& tried : report.planned.space) picture.axes.push_back(AxisOf(tried));
  const ScoreAxis scores(report);
  picture.axes.push_back(scores.axis());
  const auto& trials = report.record.trials;
  const std::vector<size_t> order = BestFirst(trials);
  const auto best = BestTrial(trials);
  // The best is drawn last.
  for (size_t rank = order.size(); rank-- > 0;) {
    const TrialRecord& trial = trials[order[rank]];
    if (trial.state == TrialState::kWaiting) continue;
    const auto score = trial.score();
    ParallelLine line{
        .places = {},
        .text = fmt::format("{}: {}\n{}", trial.name,
                            score ? ScoreText(report.scoring, *score) : "no score",
                            SettingsText(trial.settings)),
        .strength = 1.0 - static_cast<double>(rank) / static_cast<double>(order.size()),
        .is_best = order[rank] == best};
    for (size_t i = 0; i < trial.settings.size(); ++i) {
      line.places.push_back(PlaceOf(report.planned.space[i], trial.settings[i].value));
    }
    if (score.has_value()) line.places.push_back(scores.Place(*score));
    picture.lines.push_back(std::move(line));
  }
  return report::ParallelFigure(picture);
}

std::string Table(const SweepReport& report) {
  const auto rows = SweepRows(report, report.record.trials.size());
  const std::vector<size_t> order = BestFirst(report.record.trials);
  std::string table = "<section><h2>Trials</h2>\n<div class=\"table\"><table>\n<thead><tr>";
  for (const std::string& name : rows.front()) {
    table += fmt::format("<th>{}</th>", EscapeHtml(name));
  }
  table += "<th>remark</th></tr></thead>\n<tbody>\n";
  for (size_t i = 1; i < rows.size(); ++i) {
    table += "<tr>";
    for (const std::string& field : rows[i]) {
      table += fmt::format("<td>{}</td>", EscapeHtml(field));
    }
    table += fmt::format("<td><small>{}</small></td></tr>\n",
                         EscapeHtml(report.record.trials[order[i - 1]].reason));
  }
  return table + "</tbody></table></div>\n</section>\n";
}

// The first of the rows are the names of columns.
std::string RowsAsTable(const std::vector<std::vector<std::string>>& rows) {
  std::string table;
  for (size_t i = 0; i < rows.size(); ++i) {
    table += "<tr>";
    for (const std::string& field : rows[i]) {
      table += fmt::format("<{0}>{1}</{0}>", i == 0 ? "th" : "td", EscapeHtml(field));
    }
    table += "</tr>\n";
  }
  return table;
}

// What settings come to over folds, where those are tried.
std::string FoldTable(const SweepReport& report) {
  const auto rows = FoldRows(report);
  if (rows.size() < 2) return "";
  return "<section><h2>Over folds</h2>\n<div class=\"table\"><table>\n" + RowsAsTable(rows) +
         "</table></div>\n</section>\n";
}

std::string Lead(const SweepReport& report) {
  const auto& trials = report.record.trials;
  const auto over =
      static_cast<size_t>(std::count_if(trials.begin(), trials.end(), [](const TrialRecord& trial) {
        return trial.state != TrialState::kWaiting && trial.state != TrialState::kBegun;
      }));
  std::string lead =
      fmt::format("{} of {} are over, by {} search.", over, Counted(trials.size(), "trial"),
                  SweepMethodName(report.record.plan.method));
  const auto best = BestOf(report);
  if (!best.has_value()) return lead;
  const bool has_folds = !ScoresOverFolds(report).empty();
  lead += fmt::format(" {} {} with {}", has_folds ? "Over the folds:" : "The best is", best->name,
                      best->score);
  if (report.scoring.sets.empty()) return lead + ".";
  return lead + fmt::format(" by {}.", fmt::join(report.scoring.sets, ", "));
}

std::string Plan(const SweepReport& report) {
  const SweepPlan& plan = report.record.plan;
  std::vector<std::pair<std::string, std::string>> facts = {
      {"method", std::string(SweepMethodName(plan.method))},
      {"seed", std::to_string(plan.seed)},
      {"scored by",
       fmt::format("{} of {}", report.scoring.measure, fmt::join(report.scoring.sets, ", "))}};
  for (const std::string& tried : plan.tries) facts.emplace_back("tried", tried);
  for (const SweepRound& round : report.planned.rounds) {
    facts.emplace_back("round", fmt::format("{}, to {:.3g} % of their epochs",
                                            Counted(round.trials, "trial"), 100.0 * round.share));
  }
  return fmt::format("<section><h2>How it was made</h2>\n{}<pre>{}</pre>\n</section>\n",
                     report::FactList(facts), EscapeHtml(RecipeSummary(SpelledOut(plan.base))));
}

}  // namespace

std::string SweepPage(const SweepReport& report) {
  std::string body = "<section><h2>Settings and scores</h2>\n" + Picture(report);
  body += fmt::format("<p>{}</p>\n</section>\n", EscapeHtml(OptimismText(report)));
  body += FoldTable(report) + Table(report) + Plan(report);
  return report::HtmlPage({.title = "Sweep " + report.folder,
                           .lead = Lead(report),
                           .body = body,
                           .footer = "Written by facegate."});
}

Status WriteSweepPage(const SweepReport& report) {
  return WriteFileAtomically(report.folder + "/sweep.html", SweepPage(report));
}

}  // namespace facegate
