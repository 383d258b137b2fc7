#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/run/recipe_keys.h"
#include "trainer/sweep/sweep_plan.h"

namespace facegate {

// The key that says which of holdout.folds is kept from training.
inline constexpr char kFoldKey[] = "holdout.fold";

// How trials are judged: by checkpoint.best_by of the base recipe, over these sets alone.
struct Scoring {
  std::string measure{};             // accuracy, tar or eer; validation, see ScoringOf()
  std::vector<std::string> sets{};   // names of evaluation sets
  std::vector<std::string> pairs{};  // those of evaluate.pairs that they come from

  bool by_held_out() const;
  bool is_loss() const { return measure == kBestByValidation; }
  // Tells whether less is better: scores are negative then.
  bool is_error() const { return is_loss() || measure == "eer"; }
};

// The people whom the base keeps from training (holdout.identities), or the sets that the plan
// names, be they of evaluate.pairs or those people ("held-out"). kInvalidField says what is
// missing: a set of evaluate.pairs counts only where it is named, because it may be the test set.
// Also for a key that is tried though it decides who is held out, or what a score is: scores of
// such trials could not be compared. holdout.fold is such a key that can be tried, in a grid: what
// is compared are means over the folds then. Where it is tried alone, over folds of photos, the
// measure may be the loss of the photos kept from training, and there are no sets.
StatusOr<Scoring> ScoringOf(const SweepPlan& plan, const std::vector<TriedKey>& space);

// The recipe of a trial: the base with its settings, evaluated by the sets of the scoring and no
// others, so that no pair of a test set is looked at. Errors are those of SetRecipeKey() and
// CheckRecipe().
StatusOr<Recipe> TrialRecipe(const SweepPlan& plan, const Scoring& scoring,
                             const Settings& settings);

// A score with the batch after which it was measured.
struct LearnedScore {
  double score = 0.0;
  int64_t batch = 0;
};

// The best score of a trial's evaluations, by the log in its folder, without that before the first
// batch: of weights that it began with, every trial has the same. Nothing where there is none.
StatusOr<std::optional<LearnedScore>> BestLearned(const std::string& folder, const Recipe& recipe);

// A score, of which more is better, as people read it: "93.12 %".
std::string ScoreText(const Scoring& scoring, double score);

}  // namespace facegate
