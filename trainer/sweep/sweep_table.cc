#include "trainer/sweep/sweep_table.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string_view>
#include <utility>

#include "face/base/counted.h"
#include "face/base/file.h"
#include "face/base/shown_text.h"
#include "trainer/sweep/fold_scores.h"

namespace facegate {
namespace {

// Which keys let the recipe learn from all, as a comment.
std::string FoldOfBaseText(Recipe recipe) {
  std::vector<std::string> keys = {"holdout.folds 0"};
  recipe.holdout.folds = 0;
  if (recipe.checkpoint.best_by == kBestByValidation && !KeepsPhotos(recipe)) {
    keys.push_back(fmt::format("checkpoint.best_by {}", kBestByLoss));
    recipe.checkpoint.best_by = kBestByLoss;
  }
  // Without anybody held out, nothing may be left that grows better.
  if (recipe.checkpoint.patience > 0 && !CheckRecipe(recipe).ok()) {
    keys.emplace_back("checkpoint.patience 0");
  }
  return fmt::format(
      "# It keeps a fold from training, holdout.fold, as the base does; what learns from all has "
      "{}.\n",
      fmt::join(keys, " and "));
}

// The names of the sets that count; those of files may hold any signs.
std::string SetsText(const SweepReport& report) {
  return ShownLine(fmt::format("{}", fmt::join(report.scoring.sets, ", ")));
}

// As RFC 4180 has it.
std::string CsvField(std::string_view text) {
  if (text.find_first_of(",\"\r\n") == std::string_view::npos) return std::string(text);
  std::string quoted = "\"";
  for (const char c : text) quoted.append(c == '"' ? 2 : 1, c);
  return quoted + "\"";
}

std::string CsvLine(const std::vector<std::string>& fields) {
  std::string line;
  for (const std::string& field : fields) line += (line.empty() ? "" : ",") + CsvField(field);
  return line + "\n";
}

// An eer is positive here.
std::string ScoreNumber(const SweepReport& report, const TrialRecord& trial) {
  const auto score = trial.score();
  if (!score.has_value()) return "";
  return fmt::format("{:.6f}", report.scoring.is_error() ? std::abs(*score) : *score);
}

std::string EpochsText(const TrialRecord& trial) {
  return trial.epochs > 0.0 ? fmt::format("{:.4g}", trial.epochs) : "";
}

// Letters, not bytes, take room.
size_t WidthOf(std::string_view text) {
  return static_cast<size_t>(
      std::count_if(text.begin(), text.end(), [](char c) { return (c & 0xC0) != 0x80; }));
}

}  // namespace

std::string OptimismText(const SweepReport& report) {
  if (ScoresOverFolds(report).size() == 1) {
    return "No setting was chosen by these scores; but each is the best of the evaluations of its "
           "trial, so that the mean is a little optimistic.";
  }
  const size_t settings = ScoresOverFolds(report).size();
  return fmt::format(
      "The score of the best is optimistic: it is the best of {} on the very people that it was "
      "chosen by ({}). Say how good a model is by a test set that had no part in the sweep, once, "
      "at the end: facegate-train eval MODEL --pairs …",
      settings > 0 ? fmt::format("{} settings", settings)
                   : Counted(report.record.trials.size(), "trial"),
      SetsText(report));
}

std::optional<BestSettings> BestOf(const SweepReport& report) {
  if (!ScoresOverFolds(report).empty()) {
    const auto best = BestOverFolds(report);
    if (!best.has_value()) return std::nullopt;
    return BestSettings{.name = best->settings.empty() ? "the base" : "the best mean",
                        .score = FoldText(report.scoring, *best),
                        .settings = best->settings};
  }
  const auto best = BestTrial(report.record.trials);
  if (!best.has_value()) return std::nullopt;
  const TrialRecord& trial = report.record.trials[*best];
  return BestSettings{.name = trial.name,
                      .score = fmt::format("{} {}", report.scoring.measure,
                                           ScoreText(report.scoring, *trial.score())),
                      .settings = trial.settings};
}

std::string SweepCsv(const SweepReport& report) {
  std::vector<std::string> header = {"trial",  "state",      report.scoring.measure,
                                     "epochs", "best_batch", "seconds"};
  for (const TriedKey& tried : report.planned.space) header.push_back(tried.key);
  header.emplace_back("reason");
  std::string csv = CsvLine(header);
  for (const size_t number : BestFirst(report.record.trials)) {
    const TrialRecord& trial = report.record.trials[number];
    std::vector<std::string> fields = {trial.name,
                                       std::string(TrialStateName(trial.state)),
                                       ScoreNumber(report, trial),
                                       EpochsText(trial),
                                       trial.score() ? std::to_string(trial.best_batch) : "",
                                       fmt::format("{:.1f}", trial.seconds)};
    for (const Setting& setting : trial.settings) fields.push_back(setting.value);
    fields.push_back(trial.reason);
    csv += CsvLine(fields);
  }
  return csv;
}

std::vector<std::vector<std::string>> SweepRows(const SweepReport& report, size_t most) {
  std::vector<std::vector<std::string>> rows = {
      {"trial", "state", report.scoring.measure, "epochs"}};
  for (const TriedKey& tried : report.planned.space) rows[0].push_back(tried.key);
  for (const size_t number : BestFirst(report.record.trials)) {
    if (rows.size() > most) break;
    const TrialRecord& trial = report.record.trials[number];
    const auto score = trial.score();
    std::vector<std::string> row = {trial.name, std::string(TrialStateName(trial.state)),
                                    score ? ScoreText(report.scoring, *score) : "",
                                    EpochsText(trial)};
    for (const Setting& setting : trial.settings) row.push_back(setting.value);
    rows.push_back(std::move(row));
  }
  return rows;
}

std::string AlignedText(std::vector<std::vector<std::string>> rows) {
  std::vector<size_t> widths;
  for (auto& row : rows) {
    for (std::string& cell : row) cell = ShownLine(cell);
  }
  for (const auto& row : rows) {
    widths.resize(std::max(widths.size(), row.size()));
    for (size_t i = 0; i < row.size(); ++i) widths[i] = std::max(widths[i], WidthOf(row[i]));
  }
  std::string text;
  for (const auto& row : rows) {
    std::string line;
    for (size_t i = 0; i < row.size(); ++i) {
      const std::string room(widths[i] - WidthOf(row[i]), ' ');
      line += i < 2 ? row[i] + room : room + row[i];
      if (i + 1 < row.size()) line += "  ";
    }
    line.erase(line.find_last_not_of(' ') + 1);
    text += line + "\n";
  }
  return text;
}

std::string BestRecipeYaml(const SweepReport& report) {
  const std::optional<BestSettings> best = BestOf(report);
  Recipe recipe = report.record.plan.base;
  if (!best.has_value() || !Apply(best->settings, recipe).ok()) return "";
  const std::string sets = report.scoring.sets.empty() ? "" : " by " + SetsText(report);
  const bool is_of_folds = !ScoresOverFolds(report).empty();
  return fmt::format(
             "# The recipe of {} of {}, with the sets of pairs of the base: {}{}.\n# {}\n{}",
             best->name, ShownLine(report.folder), best->score, sets, OptimismText(report),
             is_of_folds ? FoldOfBaseText(recipe) : "") +
         RecipeToYaml(recipe);
}

Status WriteSweepTables(const SweepReport& report) {
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(report.folder + "/sweep.csv", SweepCsv(report)));
  const std::string best = BestRecipeYaml(report);
  return best.empty() ? OkStatus() : WriteFileAtomically(report.folder + "/best.yaml", best);
}

}  // namespace facegate
