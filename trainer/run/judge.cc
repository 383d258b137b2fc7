#include "trainer/run/judge.h"

#include <fmt/format.h>

#include <cmath>
#include <utility>

#include "face/embed/torch/torch_embedder.h"
#include "trainer/measure/verification.h"
#include "trainer/report/roc_picture.h"
#include "trainer/run/best_by.h"
#include "trainer/run/model_writer.h"
#include "trainer/run/recipe_keys.h"
#include "trainer/run/validation.h"

namespace facegate {
namespace {

constexpr double kLowFar = 1e-3;
constexpr int kEmbedderBatch = 32;

std::string EvaluationText(const report::EvaluationRow& row, size_t impostors) {
  return fmt::format(
      "after batch {}: {} accuracy {:.2f} ± {:.2f} %, TAR@FAR 1e-3 {:.2f} %{}, EER {:.2f} %",
      row.batch, row.set, 100.0 * row.accuracy, 100.0 * row.deviation, 100.0 * row.tar_1e3,
      IsMeasurable(kLowFar, impostors)
          ? ""
          : fmt::format(" (not measured: {} impostor pairs are too few)", impostors),
      100.0 * row.eer);
}

}  // namespace

void Judge::AddLoss(double loss) {
  standing_.loss_sum += loss;
  standing_.losses += 1;
}

Status Judge::Evaluate() {
  FACEGATE_RETURN_IF_ERROR(EvaluateSets());
  FACEGATE_RETURN_IF_ERROR(Validate());
  FACEGATE_RETURN_IF_ERROR(Compare());
  standing_.loss_sum = 0.0;
  standing_.losses = 0;
  evaluated_at_ = parts_.learner.training().batches();
  return OkStatus();
}

Status Judge::EvaluateSets() {
  const TrainingData& data = parts_.facts.data;
  if (data.sets.empty()) return OkStatus();
  // Figures of an earlier network are none of this one's, should it not be one that can be
  // evaluated.
  scores_.clear();
  FACEGATE_ASSIGN_OR_RETURN(ModelFile file, parts_.learner.Model());
  // Other processes wait meanwhile: their threads are free.
  const ResolvedRecipe& recipe = parts_.facts.recipe;
  const int threads =
      recipe.processes > 1 ? static_cast<int>(recipe.threads) : parts_.session.threads();
  const auto embedder = MakeTorchEmbedder(
      std::move(file),
      {.threads = threads, .max_batch = kEmbedderBatch, .device = "cpu", .run_canary = false});
  parts_.session.UseThreads();
  if (!embedder.ok()) {
    return parts_.session.Say(
        fmt::format("warning: the network cannot be evaluated: {}", MessageOf(embedder.status())));
  }
  for (const EvaluationSet& set : data.sets) {
    FACEGATE_RETURN_IF_ERROR(EvaluateSet(set, **embedder));
  }
  parts_.session.UseThreads();
  return OkStatus();
}

Status Judge::Validate() {
  const RunFacts& facts = parts_.facts;
  if (facts.data.validation == nullptr) return OkStatus();
  const bool tell = !std::exchange(told_validation_, true);
  std::vector<std::string> bad_photos;
  Training& training = parts_.learner.training();
  parts_.session.UseThreads();
  FACEGATE_ASSIGN_OR_RETURN(const ValidationSums sums,
                            ValidateOn(*facts.data.validation, facts.recipe.preprocessing, training,
                                       parts_.session.threads(), [&](const Status& status) {
                                         if (tell) bad_photos.emplace_back(MessageOf(status));
                                       }));
  for (const std::string& message : bad_photos) {
    FACEGATE_RETURN_IF_ERROR(parts_.session.Say("left out: " + message));
  }
  const auto photos = static_cast<double>(sums.photos);
  const auto share = [&](size_t i) { return static_cast<double>(sums.among[i]) / photos; };
  const report::ValidationRow row{.batch = training.batches(),
                                  .epoch = facts.EpochAt(training.batches()),
                                  .loss = sums.loss / photos,
                                  .top_1 = share(0),
                                  .top_3 = share(1),
                                  .top_5 = share(2),
                                  .top_10 = share(3)};
  validation_loss_ = row.loss;
  FACEGATE_RETURN_IF_ERROR(parts_.log.Validation(row));
  return parts_.session.Say(
      fmt::format("after batch {}: {} photos kept from training: loss {:.4f}, the right class "
                  "nearest {:.2f} %, "
                  "among 3 {:.2f} %, 5 {:.2f} %, 10 {:.2f} %",
                  row.batch, sums.photos, row.loss, 100.0 * row.top_1, 100.0 * row.top_3,
                  100.0 * row.top_5, 100.0 * row.top_10));
}

bool Judge::out_of_patience() const {
  const int64_t patience = parts_.facts.recipe.patience;
  return patience > 0 && standing_.without_better >= patience;
}

Status Judge::EvaluateSet(const EvaluationSet& set, Embedder& embedder) {
  std::vector<std::string> bad_photos;
  FACEGATE_ASSIGN_OR_RETURN(SetScores scores, ScoreSet(set, embedder, [&](const Status& status) {
                              bad_photos.emplace_back(MessageOf(status));
                            }));
  if (!told_sets_.insert(set.name).second) bad_photos.clear();
  for (const std::string& message : bad_photos) {
    FACEGATE_RETURN_IF_ERROR(parts_.session.Say("left out: " + message));
  }
  FACEGATE_RETURN_IF_ERROR(LogSet(set, scores));
  scores_.push_back(std::move(scores));
  return OkStatus();
}

Status Judge::LogSet(const EvaluationSet& set, const SetScores& scores) {
  const int64_t batches = parts_.learner.training().batches();
  const report::EvaluationRow row = RowOf(scores, set.name, batches, parts_.facts.EpochAt(batches));
  FACEGATE_RETURN_IF_ERROR(parts_.log.Evaluation(row));
  FACEGATE_RETURN_IF_ERROR(parts_.session.Say(EvaluationText(row, scores.impostors)));
  std::vector<float> genuine;
  std::vector<float> impostor;
  for (const ScoredPair& pair : scores.pairs) {
    (pair.same ? genuine : impostor).push_back(static_cast<float>(pair.cosine));
  }
  FACEGATE_RETURN_IF_ERROR(parts_.log.Histogram(set.name + "/genuine", batches, genuine));
  FACEGATE_RETURN_IF_ERROR(parts_.log.Histogram(set.name + "/impostor", batches, impostor));
  FACEGATE_ASSIGN_OR_RETURN(const auto distribution, ScoreDistribution::Make(scores.pairs));
  FACEGATE_RETURN_IF_ERROR(parts_.log.Image(fmt::format("evaluation/{}/roc", set.name), batches,
                                            report::RocPicture(distribution)));
  const auto warning = parts_.guard.Evaluation(row);
  return warning.has_value() ? parts_.session.Say("warning: " + *warning) : OkStatus();
}

std::vector<report::EvaluationRow> Judge::RowsThatCount() const {
  const int64_t batches = parts_.learner.training().batches();
  std::vector<report::EvaluationRow> rows;
  if (scores_.empty()) return rows;
  for (const size_t set : parts_.facts.best_sets) {
    rows.push_back(RowOf(scores_[set], parts_.facts.data.sets[set].name, batches,
                         parts_.facts.EpochAt(batches)));
  }
  return rows;
}

StatusOr<double> Judge::Measure() const {
  const RunFacts& facts = parts_.facts;
  if (facts.recipe.best_by == kBestByLoss) {
    return -standing_.loss_sum / static_cast<double>(standing_.losses);
  }
  if (facts.recipe.best_by == kBestByValidation) return -validation_loss_;
  return MeanMeasure(RowsThatCount(), facts.recipe.best_by);
}

bool Judge::IsJudged() const {
  const RunFacts& facts = parts_.facts;
  if (facts.recipe.best_by == kBestByLoss) return standing_.losses > 0;
  if (facts.recipe.best_by == kBestByValidation) return facts.data.validation != nullptr;
  return !facts.data.sets.empty();
}

Status Judge::Compare() {
  const int64_t batches = parts_.learner.training().batches();
  if (!scores_.empty()) {
    const std::vector<size_t>& sets = parts_.facts.best_sets;
    FACEGATE_ASSIGN_OR_RETURN(const double accuracy, MeanMeasure(RowsThatCount(), "accuracy"));
    standing_.last_accuracy = accuracy;
    if (batches == 0) standing_.first_accuracy = accuracy;
    if (sets.size() > 1) {
      FACEGATE_RETURN_IF_ERROR(
          parts_.session.Say(fmt::format("after batch {}: mean accuracy of {} sets {:.2f} %",
                                         batches, sets.size(), 100.0 * accuracy)));
    }
  }
  // Random weights are where it begins, not something to keep.
  if (batches == 0 && parts_.learner.begun_with().empty()) return OkStatus();
  if (!IsJudged()) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(const double measure, Measure());
  // What is no number is not better, either.
  const bool is_better = std::isfinite(measure) && measure > standing_.best.value_or(-HUGE_VAL);
  if (!is_better) {
    if (standing_.best.has_value()) standing_.without_better += 1;
    return OkStatus();
  }
  standing_.without_better = 0;
  standing_.best = measure;
  standing_.best_batch = batches;
  // The weights that it began with are to be beaten; they have a file of their own.
  if (batches == 0) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(ModelFile file, parts_.learner.Model());
  const Status written =
      WriteProvenModel(parts_.directory.File("best.safetensors"), std::move(file)).status();
  parts_.session.UseThreads();
  return written;
}

StatusOr<std::string> Judge::WriteLast() {
  // It is not, after going on from the very last batch.
  if (evaluated_at_ != parts_.learner.training().batches()) FACEGATE_RETURN_IF_ERROR(Evaluate());
  FACEGATE_ASSIGN_OR_RETURN(ModelFile file, parts_.learner.Model());
  for (size_t i = 0; i < scores_.size(); ++i) {
    file.card.accuracy.push_back(
        {.measure = parts_.facts.data.sets[i].name + " pairs, 10-fold accuracy",
         .value = 100.0 * scores_[i].accuracy.mean,
         .unit = "%",
         .command = "facegate-train fit"});
  }
  // The threshold comes from people who were not trained on; one of few pairs would mean nothing.
  if (!scores_.empty() && IsMeasurable(kLowFar, scores_[0].impostors)) {
    file.card.default_min_cosine = static_cast<float>(scores_[0].threshold_1e3);
  }
  const std::string path = parts_.directory.File("model.safetensors");
  const Status written = WriteProvenModel(path, std::move(file)).status();
  parts_.session.UseThreads();
  FACEGATE_RETURN_IF_ERROR(written);
  return path;
}

}  // namespace facegate
