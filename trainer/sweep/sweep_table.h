#pragma once

#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/sweep/sweep_run.h"

namespace facegate {

// Says what a score of a sweep is not: that of people who had no part in the choice.
std::string OptimismText(const SweepReport& report);

// A row for each trial, the best first, with a header: trial, state, the measure, epochs, batch of
// the best model, seconds, the keys that were tried, and the reason where it failed. Rows end with
// a line feed; empty is what is not there.
std::string SweepCsv(const SweepReport& report);

// The same without the last columns, for a terminal: names of columns, and the first `most` rows.
std::vector<std::vector<std::string>> SweepRows(const SweepReport& report, size_t most);
// Puts rows into columns, the first to the left, numbers to the right; a line each.
std::string AlignedText(std::vector<std::vector<std::string>> rows);

// What came out best: a trial, or settings by their mean over folds, where those are tried.
struct BestSettings {
  std::string name{};   // "trial-0003"
  std::string score{};  // "accuracy 93.12 %"
  Settings settings{};  // without the fold
};
// Nothing where there is no score, or a fold is missing of all settings.
std::optional<BestSettings> BestOf(const SweepReport& report);

// The base with the settings of the best, as `fit --recipe` takes it; empty without a best.
std::string BestRecipeYaml(const SweepReport& report);

// sweep.csv and best.yaml in the folder of the sweep, each written atomically.
Status WriteSweepTables(const SweepReport& report);

}  // namespace facegate
