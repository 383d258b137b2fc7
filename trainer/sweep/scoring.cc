#include "trainer/sweep/scoring.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <map>
#include <string_view>

#include "trainer/photos/pair_source.h"
#include "trainer/report/run_log.h"
#include "trainer/run/best_by.h"

namespace facegate {
namespace {

constexpr char kHeldOut[] = "held-out";

// Scores of trials with other values of these are of other pairs, or no scores of the same kind.
constexpr std::array<std::string_view, 3> kOfEverySet = {"checkpoint.best_by",
                                                         "checkpoint.best_sets", "evaluate."};
// These decide who is held out, or which pairs there are.
constexpr std::array<std::string_view, 6> kOfHeldOut = {
    "holdout.", "network.seed", "data.train", "data.min_photos", "data.leave_out", "data.root"};

Status CheckKeys(const Scoring& scoring, const std::vector<TriedKey>& space) {
  for (const TriedKey& tried : space) {
    const auto is_it = [&](std::string_view name) {
      return name.ends_with('.') ? tried.key.starts_with(name) : tried.key == name;
    };
    if (std::any_of(kOfEverySet.begin(), kOfEverySet.end(), is_it)) {
      return RefuseField("--try", fmt::format("{} decides how a trial is scored, so that scores of "
                                              "trials could not be compared",
                                              tried.key));
    }
    if (tried.key == kFoldKey) continue;
    if (scoring.by_held_out() && std::any_of(kOfHeldOut.begin(), kOfHeldOut.end(), is_it)) {
      return RefuseField("--try", fmt::format("{} decides who is held out, so that scores of "
                                              "trials could not be compared; it can be tried with "
                                              "--score-by and a set of evaluate.pairs",
                                              tried.key));
    }
  }
  return OkStatus();
}

// The means over folds are those of the same folds for all settings.
Status CheckTriedFolds(const SweepPlan& plan, const std::vector<TriedKey>& space) {
  const bool tries_folds = std::any_of(space.begin(), space.end(),
                                       [](const TriedKey& tried) { return tried.key == kFoldKey; });
  if (!tries_folds) return OkStatus();
  if (plan.base.holdout.folds == 0) {
    return RefuseField(
        "--try", fmt::format("{} needs holdout.folds, which says how many there are", kFoldKey));
  }
  if (plan.method == SweepMethod::kGrid) return OkStatus();
  return RefuseField("--method", fmt::format("is {}, but must be grid where {} is tried: all "
                                             "settings are to have the same folds",
                                             SweepMethodName(plan.method), kFoldKey));
}

// Losses are comparable where nothing else is tried than which photos are kept.
bool IsLossOverFolds(const SweepPlan& plan, const std::vector<TriedKey>& space) {
  return plan.base.checkpoint.best_by == kBestByValidation && plan.score_by.empty() &&
         plan.base.holdout.folds > 0 && KeepsPhotos(plan.base) && space.size() == 1 &&
         space.front().key == kFoldKey;
}

Status NothingToScoreBy(const Recipe& base) {
  return RefuseField(
      "--score-by",
      fmt::format("is missing, and holdout.identities is 0 and there are no holdout.folds of "
                  "people: trials are scored by people who are kept from training, or by a set of "
                  "validation.{}",
                  base.evaluate.pairs.empty()
                      ? ""
                      : " Sets of evaluate.pairs count where --score-by names them; one that is a "
                        "test set must not"));
}

// Finds the sets of evaluate.pairs that are named.
Status FindSets(const SweepPlan& plan, Scoring& scoring) {
  std::vector<PairSource> sources;
  const bool only_held_out = std::all_of(plan.score_by.begin(), plan.score_by.end(),
                                         [](const std::string& name) { return name == kHeldOut; });
  if (!only_held_out) {
    FACEGATE_ASSIGN_OR_RETURN(sources, OpenPairSources(plan.base.evaluate.pairs));
  }
  std::vector<std::string> known;
  if (HoldsOutPeople(plan.base)) known.emplace_back(kHeldOut);
  for (const PairSource& source : sources) known.push_back(source.name);
  for (const std::string& name : plan.score_by) {
    if (std::find(known.begin(), known.end(), name) == known.end()) {
      return RefuseField("--score-by",
                         fmt::format("names {}; the sets of this recipe are: {}", name,
                                     known.empty() ? std::string("none")
                                                   : fmt::format("{}", fmt::join(known, ", "))));
    }
    scoring.sets.push_back(name);
    for (const PairSource& source : sources) {
      if (source.name != name) continue;
      scoring.pairs.insert(scoring.pairs.end(), source.paths.begin(), source.paths.end());
    }
  }
  return OkStatus();
}

// The sets may have other names where they are without the others of the recipe.
Status CheckNames(Scoring& scoring) {
  if (scoring.pairs.empty()) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(const auto sources, OpenPairSources(scoring.pairs));
  std::erase_if(scoring.sets, [](const std::string& name) { return name != kHeldOut; });
  for (const PairSource& source : sources) scoring.sets.push_back(source.name);
  return OkStatus();
}

// The rows of the sets that count; none where one of them was not evaluated.
std::vector<report::EvaluationRow> RowsThatCount(
    const std::map<std::string, report::EvaluationRow>& by_set,
    const std::vector<std::string>& sets) {
  std::vector<report::EvaluationRow> rows;
  for (const std::string& set : sets) {
    const auto found = by_set.find(set);
    if (found == by_set.end()) return {};
    rows.push_back(found->second);
  }
  return rows;
}

// The lowest loss of photos kept from training.
StatusOr<std::optional<LearnedScore>> BestLoss(const std::string& folder) {
  FACEGATE_ASSIGN_OR_RETURN(const auto rows, report::ReadValidation(folder));
  std::optional<LearnedScore> best;
  for (const report::ValidationRow& row : rows) {
    if (row.batch == 0 || !std::isfinite(row.loss)) continue;
    if (best.has_value() && -row.loss <= best->score) continue;
    best = {.score = -row.loss, .batch = row.batch};
  }
  return best;
}

}  // namespace

bool Scoring::by_held_out() const {
  return std::find(sets.begin(), sets.end(), kHeldOut) != sets.end();
}

StatusOr<Scoring> ScoringOf(const SweepPlan& plan, const std::vector<TriedKey>& space) {
  const Recipe& base = plan.base;
  Scoring scoring{.measure = base.checkpoint.best_by, .sets = {}, .pairs = {}};
  FACEGATE_RETURN_IF_ERROR(CheckTriedFolds(plan, space));
  if (IsLossOverFolds(plan, space)) return scoring;
  if (std::find(kMeasuresOfPairs.begin(), kMeasuresOfPairs.end(), scoring.measure) ==
      kMeasuresOfPairs.end()) {
    return RefuseField("checkpoint.best_by",
                       fmt::format("is {}, and losses of other settings are not comparable; a "
                                   "sweep goes by {}",
                                   scoring.measure, fmt::join(kMeasuresOfPairs, ", ")));
  }
  if (!plan.score_by.empty()) {
    FACEGATE_RETURN_IF_ERROR(FindSets(plan, scoring));
    FACEGATE_RETURN_IF_ERROR(CheckNames(scoring));
  } else if (HoldsOutPeople(base)) {
    scoring.sets = {kHeldOut};
  } else {
    return NothingToScoreBy(base);
  }
  FACEGATE_RETURN_IF_ERROR(CheckKeys(scoring, space));
  return scoring;
}

StatusOr<Recipe> TrialRecipe(const SweepPlan& plan, const Scoring& scoring,
                             const Settings& settings) {
  Recipe recipe = plan.base;
  FACEGATE_RETURN_IF_ERROR(Apply(settings, recipe));
  recipe.evaluate.pairs = scoring.pairs;
  if (scoring.pairs.empty()) recipe.evaluate.photos.clear();
  recipe.checkpoint.best_sets = scoring.sets;
  FACEGATE_RETURN_IF_ERROR(CheckRecipe(recipe));
  return recipe;
}

StatusOr<std::optional<LearnedScore>> BestLearned(const std::string& folder, const Recipe& recipe) {
  if (recipe.checkpoint.best_by == kBestByValidation) return BestLoss(folder);
  FACEGATE_ASSIGN_OR_RETURN(const auto rows, report::ReadEvaluations(folder));
  std::map<int64_t, std::map<std::string, report::EvaluationRow>> by_batch;
  for (const report::EvaluationRow& row : rows) {
    if (row.batch > 0) by_batch[row.batch][row.set] = row;
  }
  std::optional<LearnedScore> best;
  for (const auto& [batch, by_set] : by_batch) {
    FACEGATE_ASSIGN_OR_RETURN(
        const double score,
        MeanMeasure(RowsThatCount(by_set, recipe.checkpoint.best_sets), recipe.checkpoint.best_by));
    if (!std::isfinite(score) || (best.has_value() && score <= best->score)) continue;
    best = {.score = score, .batch = batch};
  }
  return best;
}

std::string ScoreText(const Scoring& scoring, double score) {
  const double shown = (scoring.is_error() ? -score : score) + 0.0;
  return scoring.is_loss() ? fmt::format("{:.4f}", shown) : fmt::format("{:.2f} %", 100.0 * shown);
}

}  // namespace facegate
