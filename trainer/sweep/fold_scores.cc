#include "trainer/sweep/fold_scores.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numeric>
#include <utility>

#include "face/base/counted.h"

namespace facegate {
namespace {

void Sum(FoldScores& one) {
  const auto count = static_cast<double>(one.scores.size());
  if (one.scores.empty()) return;
  one.mean = std::accumulate(one.scores.begin(), one.scores.end(), 0.0) / count;
  if (one.scores.size() < 2) return;
  double squares = 0.0;
  for (const double score : one.scores) squares += (score - one.mean) * (score - one.mean);
  one.deviation = std::sqrt(squares / (count - 1.0));
}

}  // namespace

std::vector<FoldScores> ScoresOverFolds(const SweepReport& report) {
  std::vector<FoldScores> all;
  for (const TrialRecord& trial : report.record.trials) {
    Settings others = trial.settings;
    if (std::erase_if(others, [](const Setting& one) { return one.key == kFoldKey; }) == 0) {
      return {};
    }
    auto found = std::ranges::find(all, others, &FoldScores::settings);
    if (found == all.end()) found = all.insert(all.end(), {.settings = std::move(others)});
    found->folds += 1;
    if (const auto score = trial.score(); score && trial.state == TrialState::kDone) {
      found->scores.push_back(*score);
    }
  }
  for (FoldScores& one : all) Sum(one);
  std::ranges::stable_sort(all, [](const FoldScores& a, const FoldScores& b) {
    return std::pair(a.is_whole(), a.mean) > std::pair(b.is_whole(), b.mean);
  });
  return all;
}

std::optional<FoldScores> BestOverFolds(const SweepReport& report) {
  std::vector<FoldScores> all = ScoresOverFolds(report);
  if (all.empty() || !all.front().is_whole()) return std::nullopt;
  return std::move(all.front());
}

std::string FoldText(const Scoring& scoring, const FoldScores& scores) {
  const int digits = scoring.is_loss() ? 4 : 2;
  const double scale = scoring.is_loss() ? 1.0 : 100.0;
  std::string figures = fmt::format("{:.{}f}", scale * std::abs(scores.mean), digits);
  if (scores.has_deviation()) {
    figures += fmt::format(" ± {:.{}f}", scale * scores.deviation, digits);
  }
  return fmt::format("{} {}{} over {}", scoring.measure, figures, scoring.is_loss() ? "" : " %",
                     Counted(scores.scores.size(), "fold"));
}

std::vector<std::vector<std::string>> FoldRows(const SweepReport& report) {
  std::vector<std::vector<std::string>> rows = {{"folds", "mean", "deviation"}};
  for (const TriedKey& tried : report.planned.space) {
    if (tried.key != kFoldKey) rows[0].push_back(tried.key);
  }
  const double scale = report.scoring.is_loss() ? 1.0 : 100.0;
  const char* const unit = report.scoring.is_loss() ? "" : " %";
  const int digits = report.scoring.is_loss() ? 4 : 2;
  for (const FoldScores& one : ScoresOverFolds(report)) {
    const auto number = [&](double value) {
      return one.scores.empty() ? "" : fmt::format("{:.{}f}{}", scale * value, digits, unit);
    };
    std::vector<std::string> row = {fmt::format("{} of {}", one.scores.size(), one.folds),
                                    number(std::abs(one.mean)),
                                    one.has_deviation() ? number(one.deviation) : ""};
    for (const Setting& setting : one.settings) row.push_back(setting.value);
    rows.push_back(std::move(row));
  }
  return rows;
}

}  // namespace facegate
