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

namespace facegate {
namespace {

constexpr char kHeldOut[] = "held-out";
constexpr std::array<std::string_view, 3> kMeasures = {"accuracy", "tar", "eer"};

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
    if (scoring.by_held_out() && std::any_of(kOfHeldOut.begin(), kOfHeldOut.end(), is_it)) {
      return RefuseField("--try", fmt::format("{} decides who is held out, so that scores of "
                                              "trials could not be compared; it can be tried with "
                                              "--score-by and a set of evaluate.pairs",
                                              tried.key));
    }
  }
  return OkStatus();
}

Status NothingToScoreBy(const Recipe& base) {
  return RefuseField(
      "--score-by",
      fmt::format("is missing, and holdout.identities is 0: trials are scored by people who are "
                  "kept from training, or by a set of validation.{}",
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
  if (plan.base.holdout.identities > 0) known.emplace_back(kHeldOut);
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

double MeasureOf(const report::EvaluationRow& row, const std::string& measure) {
  if (measure == "tar") return row.tar_1e3;
  if (measure == "eer") return -row.eer;
  return row.accuracy;
}

// The mean of the sets that count; nothing where one of them was not measured.
std::optional<double> MeanScore(const std::map<std::string, double>& by_set,
                                const std::vector<std::string>& sets) {
  double sum = 0.0;
  for (const std::string& set : sets) {
    const auto found = by_set.find(set);
    if (found == by_set.end() || !std::isfinite(found->second)) return std::nullopt;
    sum += found->second;
  }
  if (sets.empty()) return std::nullopt;
  return sum / static_cast<double>(sets.size());
}

}  // namespace

bool Scoring::by_held_out() const {
  return std::find(sets.begin(), sets.end(), kHeldOut) != sets.end();
}

StatusOr<Scoring> ScoringOf(const SweepPlan& plan, const std::vector<TriedKey>& space) {
  const Recipe& base = plan.base;
  Scoring scoring{.measure = base.checkpoint.best_by, .sets = {}, .pairs = {}};
  if (std::find(kMeasures.begin(), kMeasures.end(), scoring.measure) == kMeasures.end()) {
    return RefuseField("checkpoint.best_by",
                       fmt::format("is {}, and losses of other settings are not comparable; a "
                                   "sweep goes by {}",
                                   scoring.measure, fmt::join(kMeasures, ", ")));
  }
  if (!plan.score_by.empty()) {
    FACEGATE_RETURN_IF_ERROR(FindSets(plan, scoring));
    FACEGATE_RETURN_IF_ERROR(CheckNames(scoring));
  } else if (base.holdout.identities > 0) {
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
  FACEGATE_ASSIGN_OR_RETURN(const auto rows, report::ReadEvaluations(folder));
  std::map<int64_t, std::map<std::string, double>> by_batch;
  for (const report::EvaluationRow& row : rows) {
    if (row.batch > 0) by_batch[row.batch][row.set] = MeasureOf(row, recipe.checkpoint.best_by);
  }
  std::optional<LearnedScore> best;
  for (const auto& [batch, by_set] : by_batch) {
    const std::optional<double> score = MeanScore(by_set, recipe.checkpoint.best_sets);
    if (!score.has_value() || (best.has_value() && *score <= best->score)) continue;
    best = {.score = *score, .batch = batch};
  }
  return best;
}

std::string ScoreText(const Scoring& scoring, double score) {
  return fmt::format("{:.2f} %", 100.0 * (scoring.measure == "eer" ? -score : score) + 0.0);
}

}  // namespace facegate
