#include "trainer/run/run_facts.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "trainer/run/own_device.h"

namespace facegate {
namespace {

constexpr size_t kManyPairs = 1000;

// Says how exact an accuracy of few pairs is: 1.96 deviations at an accuracy of one half.
std::string PrecisionOf(size_t pairs) {
  if (pairs >= kManyPairs) return "";
  return fmt::format(
      " (so few pairs measure an accuracy to about ± {:.0f} %; more held-out people or photos, or "
      "a longer list, measure it better)",
      98.0 / std::sqrt(static_cast<double>(pairs)));
}

// The numbers of the sets of these names; of all where none is named.
StatusOr<std::vector<size_t>> SetsOfNames(const std::vector<std::string>& names,
                                          const std::vector<EvaluationSet>& sets) {
  std::vector<size_t> numbers;
  for (size_t i = 0; i < sets.size(); ++i) {
    if (names.empty() || std::find(names.begin(), names.end(), sets[i].name) != names.end()) {
      numbers.push_back(i);
    }
  }
  for (const std::string& name : names) {
    const auto found = std::find_if(sets.begin(), sets.end(),
                                    [&](const EvaluationSet& set) { return set.name == name; });
    if (found != sets.end()) continue;
    std::vector<std::string> known;
    known.reserve(sets.size());
    for (const EvaluationSet& set : sets) known.push_back(set.name);
    return RefuseField(
        "checkpoint.best_sets",
        fmt::format("names {}; the evaluation sets of this run are: {}", name,
                    known.empty() ? "none" : fmt::format("{}", fmt::join(known, ", "))));
  }
  return numbers;
}

}  // namespace

StatusOr<RunFacts> OpenRunFacts(const Recipe& spelled_out, int rank) {
  RunFacts facts;
  FACEGATE_ASSIGN_OR_RETURN(facts.data, OpenTrainingData(DataOptionsOf(spelled_out)));
  const auto photos = static_cast<int64_t>(facts.data.training->size());
  facts.batches_per_epoch = std::max<int64_t>(1, photos / spelled_out.data.batch);
  FACEGATE_ASSIGN_OR_RETURN(
      facts.recipe,
      ResolveRecipe(spelled_out, {.identities = static_cast<int64_t>(facts.data.identities),
                                  .batches_per_epoch = facts.batches_per_epoch}));
  FACEGATE_ASSIGN_OR_RETURN(facts.recipe.training.device,
                            DeviceOfProcess(spelled_out.machine, rank));
  const ResolvedRecipe& recipe = facts.recipe;
  facts.total = recipe.training.schedule.total * recipe.training.accumulate;
  facts.evaluate_every = std::max<int64_t>(
      1, std::llround(recipe.evaluate_every * static_cast<double>(facts.batches_per_epoch)));
  FACEGATE_ASSIGN_OR_RETURN(facts.best_sets, SetsOfNames(recipe.best_sets, facts.data.sets));
  return facts;
}

std::vector<std::string> DescribeFacts(const RunFacts& facts) {
  const TrainingData& data = facts.data;
  const size_t photos = data.training->size();
  std::vector<std::string> lines;
  lines.reserve(4 + data.sets.size());
  lines.push_back(
      fmt::format("{} photos: {} of {} identities ({} generated), {} for the teacher only", photos,
                  data.labelled, data.identities, data.synthetic, photos - data.labelled));
  for (const EvaluationSet& set : data.sets) {
    lines.push_back(fmt::format("{} pairs of {} photos to evaluate with: {}{}", set.pairs.size(),
                                set.photos.size(), set.name, PrecisionOf(set.pairs.size())));
  }
  if (data.validation != nullptr) {
    lines.push_back(fmt::format("{} photos of the same identities are kept from training",
                                data.validation->size()));
  }
  lines.push_back(fmt::format("{} batches of {} photos (epochs: {:g}, threads: {}, device: {})",
                              facts.total, facts.recipe.batch, facts.recipe.epochs,
                              facts.recipe.threads, facts.recipe.training.device.words()));
  if (facts.recipe.processes > 1) {
    lines.push_back(fmt::format("{} processes share them, with a part of each batch each",
                                facts.recipe.processes));
  }
  return lines;
}

}  // namespace facegate
