#include "trainer/run/begin_fit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "face/network/architecture.h"
#include "trainer/measure/verification.h"
#include "trainer/report/network_graph.h"
#include "trainer/run/guard.h"
#include "trainer/run/start_weights.h"

namespace facegate {
namespace {

constexpr size_t kPhotosForChannels = 200;
constexpr size_t kNamesShown = 4;
constexpr double kBestFar = 1e-3;  // of checkpoint.best_by: tar

// "a, b and 5 more".
std::string SomeOf(std::vector<std::string> names) {
  const size_t count = names.size();
  names.resize(std::min(count, kNamesShown));
  return fmt::format("{}{}", fmt::join(names, ", "),
                     count > kNamesShown ? fmt::format(" and {} more", count - kNamesShown) : "");
}

// Says why the best model by "tar" would be chosen by chance.
std::optional<std::string> BestByWarning(const RunFacts& facts) {
  if (facts.recipe.best_by != "tar") return std::nullopt;
  for (const size_t number : facts.best_sets) {
    const EvaluationSet& set = facts.data.sets[number];
    const auto impostors = static_cast<size_t>(
        std::count_if(set.pairs.begin(), set.pairs.end(),
                      [](const EvaluationSet::Pair& pair) { return !pair.same; }));
    if (IsMeasurable(kBestFar, impostors)) continue;
    return fmt::format(
        "checkpoint.best_by is tar, at a false accept rate of {:g}, which {} impostor pairs of {} "
        "do not show: {:g} are needed. Choose accuracy or eer, or evaluate with more pairs",
        kBestFar, impostors, set.name, 1.0 / kBestFar);
  }
  return std::nullopt;
}

}  // namespace

Status TakeStartWeights(const RunFacts& facts, Learner& learner, Session& session) {
  const ResolvedRecipe& recipe = facts.recipe;
  if (recipe.init.empty() || learner.training().batches() > 0) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(const StartWeights weights,
                            ReadStartWeights(recipe.init, recipe.training.architecture));
  const auto taken = learner.StartFrom(weights.tensors);
  if (!taken.ok()) return Annotate(taken.status(), recipe.init);
  learner.set_begun_with(weights.description);
  FACEGATE_RETURN_IF_ERROR(
      session.Say(fmt::format("begins with {} of the {} tensors of {}", taken->taken,
                              taken->taken + taken->left.size(), weights.description)));
  if (!weights.left.empty()) {
    FACEGATE_RETURN_IF_ERROR(session.Say(
        fmt::format("left out of it, as no part of the network: {}", SomeOf(weights.left))));
  }
  if (!taken->left.empty()) {
    FACEGATE_RETURN_IF_ERROR(
        session.Say(fmt::format("of its tensors, {} do not fit and were not taken: {}",
                                taken->left.size(), SomeOf(taken->left))));
  }
  if (!taken->missing.empty()) {
    FACEGATE_RETURN_IF_ERROR(session.Say(fmt::format(
        "tensors of the network that it does not have begin with random weights; {} in all: {}",
        taken->missing.size(), SomeOf(taken->missing))));
  }
  if (weights.colours.has_value() && *weights.colours != facts.recipe.preprocessing.colour_order) {
    return session.Say(
        "warning: these weights were trained with the other order of colours; see data.colour");
  }
  return OkStatus();
}

Status DrawNetwork(const RunFacts& facts, int64_t batches, report::RunLog& log) {
  if (batches > 0) return OkStatus();
  const TrainingOptions& training = facts.recipe.training;
  FACEGATE_ASSIGN_OR_RETURN(const network::Description network,
                            DescribeArchitecture(training.architecture, training.dropout));
  FACEGATE_ASSIGN_OR_RETURN(const std::string graph, report::NetworkGraph(network));
  return log.Graph(graph);
}

Status KeepRecipe(RunDirectory& directory, Session& session) {
  const std::vector<RecipeChange>& changes = directory.changes();
  if (!changes.empty() && !directory.has_learned()) {
    FACEGATE_RETURN_IF_ERROR(session.Say(fmt::format(
        "nothing has been learned in {} yet: it begins again with the recipe of this call",
        directory.path())));
  } else {
    for (const std::string& sentence : DescribeChanges(changes)) {
      FACEGATE_RETURN_IF_ERROR(session.Say(sentence));
    }
  }
  return directory.Freeze();
}

Status SayWarnings(const RunFacts& facts, int64_t batches, Session& session) {
  for (const std::string& sentence : facts.recipe.warnings) {
    FACEGATE_RETURN_IF_ERROR(session.Say("warning: " + sentence));
  }
  if (const auto warning = BestByWarning(facts)) {
    FACEGATE_RETURN_IF_ERROR(session.Say("warning: " + *warning));
  }
  if (const std::string& note = facts.recipe.training.device.note; !note.empty()) {
    FACEGATE_RETURN_IF_ERROR(session.Say(note));
  }
  for (const std::string& note : facts.data.notes) FACEGATE_RETURN_IF_ERROR(session.Say(note));
  if (batches > 0) return session.Say(fmt::format("going on after batch {}", batches));
  const auto swapped = SwappedChannels(*facts.data.training, kPhotosForChannels);
  return swapped.has_value() ? session.Say("warning: " + *swapped) : OkStatus();
}

}  // namespace facegate
