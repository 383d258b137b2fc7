#include "trainer/run/fit_checkpoints.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <optional>
#include <string>
#include <utility>

#include "trainer/learn/checkpoint_facts.h"
#include "trainer/run/recipe_keys.h"

namespace facegate {
namespace {

constexpr char kTeacher[] = "teacher_digest";
constexpr char kBest[] = "best";
constexpr char kBestBatch[] = "best_batch";
constexpr char kBestSets[] = "best_sets";  // none: the first
constexpr char kWithoutBetter[] = "without_better";
constexpr char kFirstAccuracy[] = "first_accuracy";
constexpr char kLossSum[] = "loss_sum";
constexpr char kLosses[] = "losses";
constexpr char kBegunWith[] = "begun_with";
constexpr char kDevice[] = "device";  // none: the CPU
constexpr char kCpu[] = "cpu";

Standing StandingIn(const CheckpointFacts& facts) {
  return {.best = NumberIn<double>(facts, kBest),
          .best_batch = NumberIn<int64_t>(facts, kBestBatch).value_or(0),
          .without_better = NumberIn<int64_t>(facts, kWithoutBetter).value_or(0),
          .first_accuracy = NumberIn<double>(facts, kFirstAccuracy),
          .last_accuracy = {},
          .loss_sum = NumberIn<double>(facts, kLossSum).value_or(0.0),
          .losses = NumberIn<int64_t>(facts, kLosses).value_or(0)};
}

}  // namespace

StatusOr<Standing> FitCheckpoints::Resume(Session& session) {
  FACEGATE_ASSIGN_OR_RETURN(const auto checkpoints, directory_.Checkpoints());
  for (const RunDirectory::Checkpoint& checkpoint : checkpoints) {
    const auto facts = learner_.Resume(checkpoint.path);
    if (!facts.ok()) {
      // A power loss may have torn it; the one before is whole.
      FACEGATE_RETURN_IF_ERROR(session.Say(
          fmt::format("{} cannot be used: {}", checkpoint.path, MessageOf(facts.status()))));
      continue;
    }
    FACEGATE_RETURN_IF_ERROR(CheckSame(*facts));
    learner_.set_begun_with(TextIn(*facts, kBegunWith).value_or(""));
    saved_at_ = learner_.training().batches();
    FACEGATE_RETURN_IF_ERROR(SayOtherDevice(TextIn(*facts, kDevice).value_or(kCpu), session));
    FACEGATE_ASSIGN_OR_RETURN(Standing standing, StandingOf(*facts, session));
    saved_ = FactsOf(standing);
    return standing;
  }
  if (checkpoints.empty()) return Standing{};
  return FailedPrecondition(
      fmt::format("none of the checkpoints of {} can be used", directory_.path()));
}

StatusOr<Standing> FitCheckpoints::StandingOf(const CheckpointFacts& facts,
                                              Session& session) const {
  Standing standing = StandingIn(facts);
  const std::string before = TextIn(facts, kBestSets).value_or("0");
  if (facts_.data.sets.empty() || before == BestSets()) return standing;
  // Figures of other sets are not compared.
  standing.first_accuracy.reset();
  const std::string& best_by = facts_.recipe.best_by;
  const bool by_pairs = best_by != kBestByLoss && best_by != kBestByValidation;
  if (!by_pairs || !standing.best.has_value()) return standing;
  FACEGATE_RETURN_IF_ERROR(session.Say(
      "the best model so far was chosen by other evaluation sets; the next one that is evaluated "
      "takes its place"));
  standing.best.reset();
  standing.best_batch = 0;
  standing.without_better = 0;
  return standing;
}

std::string FitCheckpoints::BestSets() const {
  return fmt::format("{}", fmt::join(facts_.best_sets, " "));
}

Status FitCheckpoints::SayOtherDevice(const std::string& before, Session& session) const {
  const std::string now = facts_.recipe.training.device.words();
  if (before == now) return OkStatus();
  return session.Say(
      fmt::format("it goes on on another device: {}, which was {}. From here on, results differ "
                  "from those of before in their rounding",
                  now, before));
}

Status FitCheckpoints::CheckSame(const CheckpointFacts& facts) const {
  const std::optional<std::string> digest = TextIn(facts, kPhotosDigest);
  if (!digest.has_value()) {
    return FailedPrecondition(fmt::format(
        "{} was begun by an earlier version, which did not note enough about its photos to go on; "
        "begin a new run, with a checkpoint of this one as its network.init if you like",
        directory_.path()));
  }
  if (*digest != facts_.data.digest) {
    return FailedPrecondition(fmt::format(
        "the photos are not those that {} was begun with; begin a new run", directory_.path()));
  }
  const std::optional<std::string> taught = TextIn(facts, kTeacher);
  const Teacher* const teacher = learner_.teacher();
  if (taught.has_value() && (teacher == nullptr || *taught != teacher->digest())) {
    return FailedPrecondition(
        fmt::format("{} is not the model that {} was begun with; begin a new run",
                    facts_.recipe.teacher, directory_.path()));
  }
  return OkStatus();
}

CheckpointFacts FitCheckpoints::FactsOf(const Standing& standing) const {
  CheckpointFacts facts{{kPhotosDigest, facts_.data.digest},
                        {kBestBatch, std::to_string(standing.best_batch)},
                        {kWithoutBetter, std::to_string(standing.without_better)},
                        {kLossSum, fmt::format("{}", standing.loss_sum)},
                        {kLosses, std::to_string(standing.losses)}};
  if (learner_.teacher() != nullptr) facts[kTeacher] = learner_.teacher()->digest();
  if (!learner_.begun_with().empty()) facts[kBegunWith] = learner_.begun_with();
  const Device& device = facts_.recipe.training.device;
  if (device.is_cuda()) facts[kDevice] = device.words();
  if (standing.best) facts[kBest] = fmt::format("{}", *standing.best);
  if (!facts_.data.sets.empty()) facts[kBestSets] = BestSets();
  if (standing.first_accuracy) facts[kFirstAccuracy] = fmt::format("{}", *standing.first_accuracy);
  return facts;
}

Status FitCheckpoints::Save(const Standing& standing, report::RunLog& log) {
  const int64_t batches = learner_.training().batches();
  if (batches == 0) return OkStatus();
  CheckpointFacts facts = FactsOf(standing);
  if (batches == saved_at_ && facts == saved_) return OkStatus();
  FACEGATE_RETURN_IF_ERROR(log.Sync());
  FACEGATE_RETURN_IF_ERROR(learner_.Save(directory_.CheckpointPath(batches), facts));
  saved_at_ = batches;
  saved_ = std::move(facts);
  return directory_.Prune(static_cast<size_t>(facts_.recipe.checkpoint_keep));
}

}  // namespace facegate
