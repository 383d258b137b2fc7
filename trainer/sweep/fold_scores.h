#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "trainer/sweep/sweep_run.h"

namespace facegate {

// What settings come to over the folds of the photos or people (holdout.fold), each of which was a
// trial.
struct FoldScores {
  Settings settings{};           // the others
  size_t folds = 0;              // that are tried
  std::vector<double> scores{};  // of the trials that came to one, of which more is better
  double mean = 0.0;             // of them
  double deviation = 0.0;        // of a sample: by their number less one

  bool has_deviation() const { return scores.size() > 1; }
  bool is_whole() const { return scores.size() == folds; }
};

// An entry for each choice of the other settings, the best mean first; those of which a fold is
// missing come last. Empty where holdout.fold is not tried.
std::vector<FoldScores> ScoresOverFolds(const SweepReport& report);
// The first of them where it is whole.
std::optional<FoldScores> BestOverFolds(const SweepReport& report);

// "accuracy 93.12 ± 0.40 % over 5 folds", "accuracy 93.12 % over 1 fold"
std::string FoldText(const Scoring& scoring, const FoldScores& scores);

// A row for each, with a header: folds, mean, deviation, and the keys that were tried beside.
std::vector<std::vector<std::string>> FoldRows(const SweepReport& report);

}  // namespace facegate
