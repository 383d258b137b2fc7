#include <fmt/format.h>

#include "face/embed/torch_embedder.h"
#include "trainer/measure/verification.h"
#include "trainer/report/html_report.h"
#include "trainer/run/fit_run.h"
#include "trainer/run/model_writer.h"

namespace facegate {
namespace {

constexpr size_t kHardestPairs = 8;
constexpr double kLowFar = 1e-3;
constexpr int kEmbedderBatch = 32;

}  // namespace

StatusOr<ModelFile> FitRun::CurrentModel() {
  ModelFile file;
  FACEGATE_ASSIGN_OR_RETURN(file.tensors, training_->Weights());
  ModelCard& card = file.card;
  card.architecture = recipe_.training.architecture;
  card.embedding_size = static_cast<int>(recipe_.training.head.embedding_size);
  card.preprocessing = preprocessing_;
  card.preprocessing.mirror_average = recipe_.evaluate_mirror;
  card.training_data = recipe_.card.training_data;
  card.licence = recipe_.card.licence;
  card.origin = recipe_.card.origin.empty() ? "facegate-train fit" : recipe_.card.origin;
  if (!begun_with_.empty()) card.origin += fmt::format("; begun with {}", begun_with_);
  card.recipe = recipe_.summary;
  if (teacher_ != nullptr) card.teacher = teacher_->description();
  card.intended_use = recipe_.card.intended_use;
  card.unintended_use = recipe_.card.unintended_use;
  return file;
}

Status FitRun::Evaluate() {
  if (data_.sets.empty()) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(ModelFile file, CurrentModel());
  const auto embedder =
      MakeTorchEmbedder(std::move(file), {.threads = static_cast<int>(recipe_.threads),
                                          .max_batch = kEmbedderBatch,
                                          .device = "cpu",
                                          .run_canary = false});
  UseThreads();
  if (!embedder.ok()) {
    return Say(
        fmt::format("warning: the network cannot be evaluated: {}", MessageOf(embedder.status())));
  }
  scores_.clear();
  for (const EvaluationSet& set : data_.sets) {
    FACEGATE_RETURN_IF_ERROR(EvaluateSet(set, **embedder, &set == data_.sets.data()));
  }
  UseThreads();
  return OkStatus();
}

Status FitRun::EvaluateSet(const EvaluationSet& set, Embedder& embedder, bool first) {
  const int64_t batches = training_->batches();
  const bool is_first = told_sets_.insert(set.name).second;
  FACEGATE_ASSIGN_OR_RETURN(SetScores scores, ScoreSet(set, embedder, [&](const Status& status) {
                              if (is_first) bad_photos_.Add(status);
                            }));
  FACEGATE_RETURN_IF_ERROR(SayBadPhotos());
  const EvaluationRow row = RowOf(scores, set.name, batches, EpochAt(batches));
  FACEGATE_RETURN_IF_ERROR(log_->Evaluation(row));
  FACEGATE_RETURN_IF_ERROR(Say(fmt::format(
      "after batch {}: {} accuracy {:.2f} ± {:.2f} %, TAR@FAR 1e-3 {:.2f} %{}, EER {:.2f} %",
      batches, set.name, 100.0 * row.accuracy, 100.0 * row.deviation, 100.0 * row.tar_1e3,
      IsMeasurable(kLowFar, scores.impostors)
          ? ""
          : fmt::format(" (not measured: {} impostor pairs are too few)", scores.impostors),
      100.0 * row.eer)));
  std::vector<float> genuine;
  std::vector<float> impostor;
  for (const ScoredPair& pair : scores.pairs) {
    (pair.same ? genuine : impostor).push_back(static_cast<float>(pair.cosine));
  }
  FACEGATE_RETURN_IF_ERROR(log_->Histogram(set.name + "/genuine", batches, genuine));
  FACEGATE_RETURN_IF_ERROR(log_->Histogram(set.name + "/impostor", batches, impostor));
  if (const auto warning = guard_->Evaluation(row)) {
    FACEGATE_RETURN_IF_ERROR(Say("warning: " + *warning));
  }
  if (first) FACEGATE_RETURN_IF_ERROR(Better(scores));
  scores_.push_back(std::move(scores));
  return OkStatus();
}

Status FitRun::Better(const SetScores& scores) {
  report_.last_accuracy = scores.accuracy.mean;
  if (training_->batches() == 0) {
    report_.first_accuracy = scores.accuracy.mean;
    // Random weights are where it begins, not something to keep.
    if (begun_with_.empty()) return OkStatus();
  }
  double measure = scores.accuracy.mean;
  if (recipe_.best_by == "tar") measure = scores.tar_1e3;
  if (recipe_.best_by == "eer") measure = -scores.eer;
  if (report_.best.has_value() && !(measure > *report_.best)) {
    without_better_ += 1;
    return OkStatus();
  }
  without_better_ = 0;
  report_.best = measure;
  report_.best_batch = training_->batches();
  // The weights that it began with are to be beaten; they have a file of their own.
  if (report_.best_batch == 0) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(ModelFile file, CurrentModel());
  const Status written =
      WriteProvenModel(directory_->File("best.safetensors"), std::move(file)).status();
  UseThreads();
  return written;
}

Status FitRun::Finish() {
  // There are none after an early end, and after going on from the very last batch.
  if (scores_.empty()) FACEGATE_RETURN_IF_ERROR(Evaluate());
  FACEGATE_ASSIGN_OR_RETURN(ModelFile file, CurrentModel());
  for (size_t i = 0; i < scores_.size(); ++i) {
    file.card.accuracy.push_back({.measure = data_.sets[i].name + " pairs, 10-fold accuracy",
                                  .value = 100.0 * scores_[i].accuracy.mean,
                                  .unit = "%",
                                  .command = "facegate-train fit"});
  }
  // The threshold comes from people who were not trained on; one of few pairs would mean nothing.
  if (!scores_.empty() && IsMeasurable(kLowFar, scores_[0].impostors)) {
    file.card.default_min_cosine = static_cast<float>(scores_[0].threshold_1e3);
  }
  report_.model = directory_->File("model.safetensors");
  const Status written = WriteProvenModel(report_.model, std::move(file)).status();
  UseThreads();
  return written;
}

Status FitRun::WritePage() {
  ReportInput input;
  input.title = fmt::format("Training {}", recipe_.training.architecture);
  input.summary = fmt::format("{} after {} of {} batches: {} photos of {} identities, {} loss.",
                              report_.end == FitEnd::kStoppedToGoOn ? "Stopped" : "Ended",
                              training_->batches(), total_, data_.training->size(),
                              data_.identities, recipe_.training.head.margin.kind);
  FACEGATE_ASSIGN_OR_RETURN(input.steps, ReadSteps(directory_->path()));
  FACEGATE_ASSIGN_OR_RETURN(input.evaluations, ReadEvaluations(directory_->path()));
  if (report_.best.has_value()) input.best_batch = report_.best_batch;
  for (size_t i = 0; i < scores_.size(); ++i) {
    ScoredSet& set = input.sets.emplace_back(ReportOf(data_.sets[i], scores_[i], kHardestPairs));
    for (HardPair& pair : set.hardest) {
      for (std::string* const name : {&pair.first_name, &pair.second_name}) {
        *name = NameBelow(*name, data_.folders);
      }
    }
  }
  FACEGATE_ASSIGN_OR_RETURN(input.configuration, ReadRunRecipe(directory_->path()));
  input.environment = {{"threads", std::to_string(recipe_.threads)}, {"data digest", data_.digest}};
  input.notes = notes_;
  return WriteReport(directory_->File("report.html"), input);
}

}  // namespace facegate
