#include "trainer/run/fit_loop.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>
#include <string>
#include <vector>

#include "trainer/run/batch_picture.h"

namespace facegate {
namespace {

// The run ends after so many batches in a row without a finite loss.
constexpr int64_t kMostSkipped = 20;
constexpr size_t kMostNames = 8;
// TensorBoard shows so many photos of the first batch.
constexpr size_t kShownPhotos = 32;
constexpr size_t kShownColumns = 8;

// The batch at which an epoch is over; 0 for the epoch 0.
int64_t BatchOf(double epoch, const RunFacts& facts) {
  if (epoch <= 0.0) return 0;
  return std::max<int64_t>(1, std::llround(epoch * static_cast<double>(facts.batches_per_epoch)));
}

}  // namespace

FitLoop::FitLoop(const Parts& parts, const FitOptions& options)
    : parts_(parts),
      training_(parts.learner.training()),
      feed_(parts.loader, training_),
      options_(options),
      begin_(training_.batches()),
      stop_at_(BatchOf(options.stop_at, parts.facts)),
      progress_(parts.session, begin_, parts.facts.total, parts.facts.recipe.epochs) {}

StatusOr<FitEnd> FitLoop::Run() {
  if (training_.batches() == 0) FACEGATE_RETURN_IF_ERROR(Evaluate());
  last_step_ = Clock::now();
  while (training_.batches() < parts_.facts.total) {
    if (training_.at_update()) {
      FACEGATE_ASSIGN_OR_RETURN(const std::optional<FitEnd> end, EndNow());
      if (end.has_value()) return *end;
    }
    FACEGATE_RETURN_IF_ERROR(LearnOne());
    FACEGATE_RETURN_IF_ERROR(AfterBatch(training_.batches()));
  }
  return FitEnd::kFinished;
}

StatusOr<std::optional<FitEnd>> FitLoop::EndNow() {
  if (parts_.judge.out_of_patience()) {
    FACEGATE_RETURN_IF_ERROR(
        parts_.session.Say(fmt::format("nothing got better in {} evaluations: training ends early",
                                       parts_.judge.standing().without_better)));
    return std::optional(FitEnd::kStoppedEarly);
  }
  const int64_t batches = training_.batches();
  if (stop_at_ > 0 && batches >= stop_at_) {
    // A run that stopped here before was evaluated then, and that counts once.
    const Standing& standing = parts_.judge.standing();
    const bool is_evaluated = standing.losses == 0 && standing.best.has_value();
    if (!evaluates_after(batches) && !is_evaluated) FACEGATE_RETURN_IF_ERROR(Evaluate());
    return std::optional(FitEnd::kStoppedAtEpoch);
  }
  const bool is_enough = options_.stop_after > 0 && batches - begin_ >= options_.stop_after;
  if (is_enough || parts_.session.asked_to_stop()) {
    return std::optional(FitEnd::kStoppedToGoOn);
  }
  return std::optional<FitEnd>();
}

Status FitLoop::Evaluate() {
  FACEGATE_RETURN_IF_ERROR(parts_.judge.Evaluate());
  last_step_ = Clock::now();
  return OkStatus();
}

bool FitLoop::evaluates_after(int64_t batches) const {
  return batches % parts_.facts.evaluate_every == 0 || batches == parts_.facts.total;
}

Status FitLoop::AfterBatch(int64_t batches) {
  if (evaluates_after(batches)) FACEGATE_RETURN_IF_ERROR(Evaluate());
  if (options_.on_batch) options_.on_batch(batches, parts_.facts.total);
  // Not while batches are being undone: should that never end, the states before it stay.
  if (batches % parts_.facts.recipe.checkpoint_every != 0 || skipped_in_a_row_ > 0) {
    return OkStatus();
  }
  return parts_.checkpoints.Save(parts_.judge.standing(), parts_.log);
}

report::StepRow FitLoop::RowOfStep(const StepReport& step, size_t photos) {
  const Clock::time_point now = Clock::now();
  const double seconds = std::chrono::duration<double>(now - last_step_).count();
  last_step_ = now;
  return {.batch = step.batch,
          .epoch = parts_.facts.EpochAt(step.batch + 1),
          .loss = step.loss,
          .distillation = step.distillation.value_or(report::kNotMeasured),
          .map_distillation = step.map_distillation.value_or(report::kNotMeasured),
          .accuracy = step.accuracy,
          .learning_rate = step.learning_rate,
          .gradient_norm = step.gradient_norm,
          .images_per_second = static_cast<double>(photos) / std::max(1e-9, seconds)};
}

Status FitLoop::LearnOne() {
  FACEGATE_ASSIGN_OR_RETURN(const FedBatch fed, feed_.Next());
  const Batch& batch = *fed.batch;
  for (const std::string& message : parts_.bad_photos.Take()) {
    FACEGATE_RETURN_IF_ERROR(parts_.session.Say("left out: " + message));
  }
  if (batch.step == 0) {
    FACEGATE_RETURN_IF_ERROR(parts_.log.Image(
        "train/first batch", 0,
        BatchPicture(batch, parts_.facts.recipe.preprocessing, kShownPhotos, kShownColumns)));
  }
  FACEGATE_ASSIGN_OR_RETURN(const StepReport step, parts_.learner.Learn(fed));
  for (const std::string& sentence : parts_.learner.TakeTold()) {
    FACEGATE_RETURN_IF_ERROR(parts_.session.Say(sentence));
  }
  if (!step.note.empty()) FACEGATE_RETURN_IF_ERROR(parts_.session.Say(step.note));
  const report::StepRow row = RowOfStep(step, static_cast<size_t>(parts_.facts.recipe.batch));
  FACEGATE_RETURN_IF_ERROR(parts_.log.Step(row));
  progress_.Show(row);
  if (step.skipped) return AfterSkipped(batch, step);
  skipped_in_a_row_ = 0;
  parts_.judge.AddLoss(step.loss);
  const auto warning = parts_.guard.Step(row);
  return warning.has_value() ? parts_.session.Say("warning: " + *warning) : OkStatus();
}

Status FitLoop::AfterSkipped(const Batch& batch, const StepReport& step) {
  skipped_in_a_row_ += 1;
  if (step.loss_scale.value_or(0.0) > GradientScaler::kLeast && std::isfinite(step.loss)) {
    return parts_.session.Say(
        fmt::format("batch {} was undone: a loss times {:g} is too much for FP16, and the next is "
                    "multiplied by half of it",
                    step.batch, *step.loss_scale));
  }
  std::vector<std::string> names;
  const size_t shown = std::min(kMostNames, batch.photos.size());
  names.reserve(shown);
  for (size_t i = 0; i < shown; ++i) {
    names.push_back(parts_.facts.data.training->name(batch.photos[i]));
  }
  const std::string what = std::isfinite(step.loss)
                               ? fmt::format("a gradient norm of {}", step.gradient_norm)
                               : fmt::format("a loss of {}", step.loss);
  FACEGATE_RETURN_IF_ERROR(parts_.session.Say(fmt::format(
      "warning: batch {} gave {}: it was undone. Its photos: {}{}", step.batch, what,
      fmt::join(names, ", "),
      batch.photos.size() > shown ? fmt::format(" and {} more", batch.photos.size() - shown)
                                  : "")));
  if (skipped_in_a_row_ < kMostSkipped) return OkStatus();
  return FailedPrecondition(fmt::format(
      "{} batches in a row gave no finite loss or gradient; the last good state is in the "
      "checkpoints. Begin again with a smaller schedule.rate, a longer schedule.warmup or "
      "optimizer.clip_norm",
      skipped_in_a_row_));
}

}  // namespace facegate
