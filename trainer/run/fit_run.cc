#include "trainer/run/fit_run.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <cmath>

#include "trainer/run/batch_picture.h"

namespace facegate {
namespace {

// The run ends after so many batches in a row without a finite loss.
constexpr int64_t kMostSkipped = 20;
constexpr size_t kMostNames = 8;
// TensorBoard shows so many photos of the first batch.
constexpr size_t kShownPhotos = 32;
constexpr size_t kShownColumns = 8;

}  // namespace

Status FitRun::Say(const std::string& text) {
  notes_.push_back(text);
  if (progress_ != nullptr) {
    progress_->Say(text);
  } else {
    out_ << text << std::endl;
  }
  return log_ != nullptr ? log_->Note(text) : OkStatus();
}

StatusOr<FitReport> FitRun::Go() {
  if (training_->batches() == 0) FACEGATE_RETURN_IF_ERROR(Evaluate());
  last_step_ = std::chrono::steady_clock::now();
  report_.measure = recipe_.best_by;
  report_.end = FitEnd::kFinished;
  while (training_->batches() < total_) {
    if (OutOfPatience() && training_->at_update()) {
      report_.end = FitEnd::kStoppedEarly;
      FACEGATE_RETURN_IF_ERROR(Say(fmt::format(
          "nothing got better in {} evaluations: training ends early", without_better_)));
      break;
    }
    if (AskedToStop() && training_->at_update()) {
      report_.end = FitEnd::kStoppedToGoOn;
      break;
    }
    FACEGATE_RETURN_IF_ERROR(LearnOne());
    const int64_t batches = training_->batches();
    if (batches % evaluate_every_ == 0 || batches == total_) {
      FACEGATE_RETURN_IF_ERROR(Evaluate());
      last_step_ = std::chrono::steady_clock::now();
    }
    // Not while batches are being undone: should that never end, the states before it stay.
    if (batches % recipe_.checkpoint_every == 0 && skipped_in_a_row_ == 0) {
      FACEGATE_RETURN_IF_ERROR(SaveCheckpoint());
    }
  }
  FACEGATE_RETURN_IF_ERROR(SaveCheckpoint());
  report_.batches = training_->batches();
  loader_.reset();
  if (report_.end != FitEnd::kStoppedToGoOn) FACEGATE_RETURN_IF_ERROR(Finish());
  FACEGATE_RETURN_IF_ERROR(WritePage());
  FACEGATE_RETURN_IF_ERROR(log_->Sync());
  return report_;
}

Status FitRun::LearnOne() {
  FACEGATE_ASSIGN_OR_RETURN(const auto batch, loader_->Next());
  FACEGATE_RETURN_IF_ERROR(SayBadPhotos());
  if (batch->step == 0) {
    FACEGATE_RETURN_IF_ERROR(log_->Image(
        "train/first batch", 0, BatchPicture(*batch, preprocessing_, kShownPhotos, kShownColumns)));
  }
  Lesson lesson;
  if (teacher_ != nullptr) {
    const auto& shown = batch->undegraded.empty() ? batch->pixels : batch->undegraded;
    FACEGATE_ASSIGN_OR_RETURN(lesson, teacher_->Teach(shown, batch->labels.size()));
  }
  const TeacherTargets targets{.embeddings = lesson.embeddings,
                               .maps = {lesson.maps.begin(), lesson.maps.end()}};
  UseThreads();
  FACEGATE_ASSIGN_OR_RETURN(const StepReport step, training_->Learn(*batch, targets));
  const auto now = std::chrono::steady_clock::now();
  const double seconds = std::chrono::duration<double>(now - last_step_).count();
  last_step_ = now;
  const StepRow row{
      .batch = step.batch,
      .epoch = EpochAt(step.batch + 1),
      .loss = step.loss,
      .distillation = step.distillation.value_or(kNotMeasured),
      .map_distillation = step.map_distillation.value_or(kNotMeasured),
      .accuracy = step.accuracy,
      .learning_rate = step.learning_rate,
      .gradient_norm = step.gradient_norm,
      .images_per_second = static_cast<double>(batch->labels.size()) / std::max(1e-9, seconds)};
  FACEGATE_RETURN_IF_ERROR(log_->Step(row));
  progress_->Show(row);
  if (step.skipped) return AfterSkipped(*batch, step);
  skipped_in_a_row_ = 0;
  if (const auto warning = guard_->Step(row)) return Say("warning: " + *warning);
  return OkStatus();
}

Status FitRun::SayBadPhotos() {
  for (const std::string& message : bad_photos_.Take()) {
    FACEGATE_RETURN_IF_ERROR(Say("left out: " + message));
  }
  return OkStatus();
}

Status FitRun::AfterSkipped(const Batch& batch, const StepReport& step) {
  std::vector<std::string> names;
  const size_t shown = std::min(kMostNames, batch.photos.size());
  names.reserve(shown);
  for (size_t i = 0; i < shown; ++i) names.push_back(data_.training->name(batch.photos[i]));
  const std::string what = std::isfinite(step.loss)
                               ? fmt::format("a gradient norm of {}", step.gradient_norm)
                               : fmt::format("a loss of {}", step.loss);
  FACEGATE_RETURN_IF_ERROR(Say(fmt::format(
      "warning: batch {} gave {}: it was undone. Its photos: {}{}", step.batch, what,
      fmt::join(names, ", "),
      batch.photos.size() > shown ? fmt::format(" and {} more", batch.photos.size() - shown)
                                  : "")));
  if (++skipped_in_a_row_ < kMostSkipped) return OkStatus();
  return FailedPrecondition(fmt::format(
      "{} batches in a row gave no finite loss or gradient; the last good state is in the "
      "checkpoints. Begin again with a smaller schedule.rate, a longer schedule.warmup or "
      "optimizer.clip_norm",
      skipped_in_a_row_));
}

Status FitRun::SaveCheckpoint() {
  const int64_t batches = training_->batches();
  // There is nothing before the first batch that the recipe does not give again.
  if (batches == 0 || batches == saved_at_) return OkStatus();
  CheckpointFacts facts{{FitFacts::kDigest, data_.digest},
                        {FitFacts::kBestBatch, std::to_string(report_.best_batch)},
                        {FitFacts::kWithoutBetter, std::to_string(without_better_)}};
  if (teacher_ != nullptr) facts[FitFacts::kTeacher] = teacher_->digest();
  if (!begun_with_.empty()) facts[FitFacts::kBegunWith] = begun_with_;
  if (report_.best) facts[FitFacts::kBest] = fmt::format("{}", *report_.best);
  if (report_.first_accuracy)
    facts[FitFacts::kFirstAccuracy] = fmt::format("{}", *report_.first_accuracy);
  FACEGATE_RETURN_IF_ERROR(log_->Sync());
  FACEGATE_RETURN_IF_ERROR(training_->Save(directory_->CheckpointPath(batches), facts));
  saved_at_ = batches;
  return directory_->Prune(static_cast<size_t>(recipe_.checkpoint_keep));
}

}  // namespace facegate
