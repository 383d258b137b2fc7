#include "trainer/run/fit.h"

#include <fmt/format.h>
#include <fmt/ranges.h>
#include <torch/utils.h>

#include <charconv>
#include <chrono>
#include <cmath>
#include <memory>
#include <mutex>
#include <span>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/model/architecture.h"
#include "face/model/torch_embedder.h"
#include "trainer/data/loader.h"
#include "trainer/report/html_report.h"
#include "trainer/report/run_log.h"
#include "trainer/run/batch_picture.h"
#include "trainer/run/fit_progress.h"
#include "trainer/run/guard.h"
#include "trainer/run/model_writer.h"
#include "trainer/run/run_directory.h"
#include "trainer/run/set_scores.h"
#include "trainer/run/teacher.h"
#include "trainer/run/training_data.h"

namespace facegate {
namespace {

constexpr size_t kHardestPairs = 8;
constexpr size_t kPhotosForChannels = 200;
// So many batches in a row without a finite loss end the run.
constexpr int64_t kMostSkipped = 20;
constexpr size_t kMostNames = 8;
// Of the first batch, for TensorBoard.
constexpr size_t kShownPhotos = 32;
constexpr size_t kShownColumns = 8;
constexpr size_t kFewImpostors = 1000;
constexpr int kEmbedderBatch = 32;

// The caller's facts in a checkpoint.
constexpr char kDigest[] = "data_digest";
constexpr char kBest[] = "best";
constexpr char kBestBatch[] = "best_batch";
constexpr char kWithoutBetter[] = "without_better";
constexpr char kFirstAccuracy[] = "first_accuracy";

using SteadyClock = std::chrono::steady_clock;

template <typename T>
std::optional<T> Parsed(const CheckpointFacts& facts, const char* name) {
  const auto found = facts.find(name);
  if (found == facts.end()) return std::nullopt;
  const std::string& text = found->second;
  T value{};
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return value;
}

// Photos that could not be read, told by the loader's threads and said by the run's own.
class BadPhotos {
 public:
  void Add(const Status& status) {
    const std::lock_guard<std::mutex> lock(mutex_);
    messages_.emplace_back(MessageOf(status));
  }
  std::vector<std::string> Take() {
    const std::lock_guard<std::mutex> lock(mutex_);
    return std::exchange(messages_, {});
  }

 private:
  std::mutex mutex_;
  std::vector<std::string> messages_;
};

class Run {
 public:
  static StatusOr<std::unique_ptr<Run>> Begin(const Recipe& recipe, const FitOptions& options,
                                              std::ostream& progress);
  StatusOr<FitReport> Go();

 private:
  Run(Recipe recipe, const FitOptions& options, std::ostream& progress)
      : recipe_(std::move(recipe)), options_(options), out_(progress) {}

  Status OpenData();
  Status OpenTraining();
  Status OpenOwnTeacher();
  Status Resume();
  Status StartLoader();

  void UseThreads() const { at::set_num_threads(static_cast<int>(recipe_.threads)); }
  double EpochAt(int64_t batches) const {
    return static_cast<double>(batches) / static_cast<double>(batches_per_epoch_);
  }
  bool AskedToStop() const {
    return (options_.asked_to_stop && options_.asked_to_stop()) ||
           (options_.stop_after > 0 &&
            training_->batches() - report_.resumed_at >= options_.stop_after);
  }
  bool OutOfPatience() const { return recipe_.patience > 0 && without_better_ >= recipe_.patience; }

  Status LearnOne();
  Status SayBadPhotos();
  Status AfterSkipped(const Batch& batch, const StepReport& step);
  Status Say(const std::string& text);

  StatusOr<ModelFile> CurrentModel();
  Status Evaluate();
  Status EvaluateSet(const EvaluationSet& set, Embedder& embedder, bool first);
  Status Better(const SetScores& scores);
  Status SaveCheckpoint();
  Status Finish();
  Status WritePage();

  Recipe recipe_;
  const FitOptions& options_;
  std::ostream& out_;
  FitReport report_;

  std::unique_ptr<RunDirectory> directory_;
  TrainingData data_;
  int64_t batches_per_epoch_ = 1;
  int64_t total_ = 0;           // batches
  int64_t evaluate_every_ = 0;  // batches
  Preprocessing preprocessing_;
  std::unique_ptr<Training> training_;
  std::unique_ptr<Teacher> teacher_;
  std::unique_ptr<RunLog> log_;
  std::unique_ptr<TrainingGuard> guard_;
  std::unique_ptr<FitProgress> progress_;
  BadPhotos bad_photos_;
  std::unique_ptr<Loader> loader_;  // ends first: its threads use the rest

  SteadyClock::time_point last_step_;
  int64_t skipped_in_a_row_ = 0;
  int64_t without_better_ = 0;
  int64_t saved_at_ = -1;
  std::vector<std::string> notes_;
  std::vector<SetScores> scores_;  // of the last evaluation
};

Status Run::Say(const std::string& text) {
  notes_.push_back(text);
  if (progress_ != nullptr) {
    progress_->Say(text);
  } else {
    out_ << text << std::endl;
  }
  return log_ != nullptr ? log_->Note(text) : OkStatus();
}

Status Run::OpenData() {
  FACEGATE_ASSIGN_OR_RETURN(data_, OpenTrainingData(recipe_.data));
  const auto photos = static_cast<int64_t>(data_.training->size());
  batches_per_epoch_ = std::max<int64_t>(1, photos / recipe_.batch);
  ResolveSteps(batches_per_epoch_, recipe_);
  total_ = recipe_.training.schedule.total * recipe_.training.accumulate;
  evaluate_every_ = std::max<int64_t>(
      1, std::llround(recipe_.evaluate_every * static_cast<double>(batches_per_epoch_)));
  out_ << fmt::format("{} photos: {} of {} identities ({} generated), {} for the teacher alone\n",
                      photos, data_.labelled, data_.identities, data_.synthetic,
                      data_.training->size() - data_.labelled);
  for (const EvaluationSet& set : data_.sets) {
    out_ << fmt::format("{} pairs of {} photos to evaluate with: {}\n", set.pairs.size(),
                        set.photos.size(), set.name);
  }
  out_ << fmt::format("{} batches of {} in {:g} epochs, {} threads\n", total_, recipe_.batch,
                      recipe_.epochs, recipe_.threads);
  return OkStatus();
}

Status Run::OpenTraining() {
  preprocessing_.colour_order = recipe_.colour == "rgb" ? ColourOrder::kRgb : ColourOrder::kBgr;
  FACEGATE_ASSIGN_OR_RETURN(const int size, EmbeddingSizeOf(recipe_.training.architecture));
  ClassHeadOptions& head = recipe_.training.head;
  head.classes = static_cast<int64_t>(data_.identities);
  head.embedding_size = size;
  head.seed = recipe_.training.seed;
  UseThreads();
  FACEGATE_ASSIGN_OR_RETURN(training_, Training::Create(recipe_.training));
  return recipe_.teacher.empty() ? OkStatus() : OpenOwnTeacher();
}

Status Run::OpenOwnTeacher() {
  const bool with_maps = recipe_.training.map_distillation > 0.0;
  FACEGATE_ASSIGN_OR_RETURN(teacher_, OpenTeacher(recipe_.teacher, preprocessing_, with_maps,
                                                  static_cast<int>(recipe_.threads)));
  const auto size = static_cast<int>(recipe_.training.head.embedding_size);
  if (teacher_->embedding_size() != size) {
    return InvalidArgument(
        fmt::format("the teacher's embeddings have {} numbers, those of {} have {}",
                    teacher_->embedding_size(), recipe_.training.architecture, size));
  }
  if (!with_maps) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<size_t> sizes, training_->MapSizes());
  if (sizes == teacher_->map_sizes()) return OkStatus();
  return InvalidArgument(fmt::format(
      "teacher.map_weight needs maps of the same sizes: the teacher's have {} numbers, those of {} "
      "have {}",
      fmt::join(teacher_->map_sizes(), ", "), recipe_.training.architecture,
      fmt::join(sizes, ", ")));
}

Status Run::Resume() {
  FACEGATE_ASSIGN_OR_RETURN(const auto checkpoints, directory_->Checkpoints());
  for (const RunDirectory::Checkpoint& checkpoint : checkpoints) {
    const auto facts = training_->Resume(checkpoint.path);
    if (!facts.ok()) {
      // A power loss may have torn it; the one before is whole.
      notes_.push_back(
          fmt::format("{} cannot be used: {}", checkpoint.path, MessageOf(facts.status())));
      out_ << notes_.back() << "\n";
      continue;
    }
    const auto digest = facts->find(kDigest);
    if (digest == facts->end() || digest->second != data_.digest) {
      return FailedPrecondition(
          fmt::format("the photos of {} are not those that it was begun with; begin another run",
                      directory_->path()));
    }
    report_.best = Parsed<double>(*facts, kBest);
    report_.best_batch = Parsed<int64_t>(*facts, kBestBatch).value_or(0);
    report_.first_accuracy = Parsed<double>(*facts, kFirstAccuracy);
    without_better_ = Parsed<int64_t>(*facts, kWithoutBetter).value_or(0);
    break;
  }
  if (training_->batches() == 0 && !checkpoints.empty()) {
    return FailedPrecondition(
        fmt::format("none of the checkpoints of {} can be used", directory_->path()));
  }
  report_.resumed_at = training_->batches();
  saved_at_ = training_->batches() > 0 ? training_->batches() : -1;
  return OkStatus();
}

Status Run::StartLoader() {
  LoaderOptions options;
  options.sampler = {.batch = static_cast<size_t>(recipe_.batch),
                     .seed = recipe_.training.seed,
                     .balanced = recipe_.balanced};
  options.augment = recipe_.augment;
  options.blend = recipe_.blend;
  options.preprocessing = preprocessing_;
  options.threads = static_cast<int>(recipe_.loader_threads);
  options.first_step = static_cast<size_t>(training_->batches());
  FACEGATE_ASSIGN_OR_RETURN(
      loader_, Loader::Start(*data_.training, options,
                             [this](const Status& status) { bad_photos_.Add(status); }));
  return OkStatus();
}

StatusOr<std::unique_ptr<Run>> Run::Begin(const Recipe& recipe, const FitOptions& options,
                                          std::ostream& progress) {
  std::unique_ptr<Run> run(new Run(recipe, options, progress));
  FACEGATE_ASSIGN_OR_RETURN(
      run->directory_,
      RunDirectory::Open(options.directory, RecipeToYaml(recipe), RecipeToYaml(Recipe{})));
  FACEGATE_RETURN_IF_ERROR(run->OpenData());
  FACEGATE_RETURN_IF_ERROR(run->OpenTraining());
  FACEGATE_RETURN_IF_ERROR(run->Resume());
  const int64_t begin = run->training_->batches();
  FACEGATE_ASSIGN_OR_RETURN(run->log_, RunLog::Open(options.directory, begin));
  for (const std::string& note : run->notes_) FACEGATE_RETURN_IF_ERROR(run->log_->Note(note));
  run->guard_ = std::make_unique<TrainingGuard>(
      run->data_.identities,
      run->recipe_.training.schedule.warmup * run->recipe_.training.accumulate +
          run->recipe_.training.margin_warmup);
  run->progress_ = std::make_unique<FitProgress>(progress, options.terminal, begin, run->total_,
                                                 run->recipe_.epochs);
  if (begin > 0) {
    FACEGATE_RETURN_IF_ERROR(run->Say(fmt::format("goes on after batch {}", begin)));
  } else if (const auto swapped = SwappedChannels(*run->data_.training, kPhotosForChannels)) {
    FACEGATE_RETURN_IF_ERROR(run->Say("warning: " + *swapped));
  }
  FACEGATE_RETURN_IF_ERROR(run->StartLoader());
  return run;
}

StatusOr<FitReport> Run::Go() {
  if (training_->batches() == 0) FACEGATE_RETURN_IF_ERROR(Evaluate());
  last_step_ = SteadyClock::now();
  report_.end = FitEnd::kFinished;
  while (training_->batches() < total_) {
    if (OutOfPatience()) {
      report_.end = FitEnd::kStoppedEarly;
      FACEGATE_RETURN_IF_ERROR(Say(
          fmt::format("nothing better for {} evaluations: training ends early", without_better_)));
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
      last_step_ = SteadyClock::now();
    }
    if (batches % recipe_.checkpoint_every == 0) FACEGATE_RETURN_IF_ERROR(SaveCheckpoint());
  }
  FACEGATE_RETURN_IF_ERROR(SaveCheckpoint());
  report_.batches = training_->batches();
  loader_.reset();
  if (report_.end != FitEnd::kStoppedToGoOn) FACEGATE_RETURN_IF_ERROR(Finish());
  FACEGATE_RETURN_IF_ERROR(WritePage());
  FACEGATE_RETURN_IF_ERROR(log_->Sync());
  return report_;
}

Status Run::LearnOne() {
  FACEGATE_ASSIGN_OR_RETURN(const auto batch, loader_->Next());
  FACEGATE_RETURN_IF_ERROR(SayBadPhotos());
  if (batch->step == 0) {
    FACEGATE_RETURN_IF_ERROR(log_->Image(
        "train/first batch", 0, BatchPicture(*batch, preprocessing_, kShownPhotos, kShownColumns)));
  }
  Lesson lesson;
  if (teacher_ != nullptr) {
    FACEGATE_ASSIGN_OR_RETURN(lesson, teacher_->Teach(batch->pixels, batch->labels.size()));
  }
  const TeacherTargets targets{.embeddings = lesson.embeddings,
                               .maps = {lesson.maps.begin(), lesson.maps.end()}};
  UseThreads();
  FACEGATE_ASSIGN_OR_RETURN(const StepReport step, training_->Learn(*batch, targets));
  const auto now = SteadyClock::now();
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

Status Run::SayBadPhotos() {
  for (const std::string& message : bad_photos_.Take()) {
    FACEGATE_RETURN_IF_ERROR(Say("left out: " + message));
  }
  return OkStatus();
}

Status Run::AfterSkipped(const Batch& batch, const StepReport& step) {
  std::vector<std::string> names;
  const size_t shown = std::min(kMostNames, batch.photos.size());
  names.reserve(shown);
  for (size_t i = 0; i < shown; ++i) names.push_back(data_.training->name(batch.photos[i]));
  FACEGATE_RETURN_IF_ERROR(Say(fmt::format(
      "warning: batch {} gave a loss of {} and a gradient norm of {}: it was undone. Its photos: "
      "{}{}",
      step.batch, step.loss, step.gradient_norm, fmt::join(names, ", "),
      batch.photos.size() > shown ? fmt::format(" and {} more", batch.photos.size() - shown)
                                  : "")));
  if (++skipped_in_a_row_ < kMostSkipped) return OkStatus();
  return FailedPrecondition(fmt::format(
      "{} batches in a row gave no finite loss; the last good state is in the checkpoints. Begin "
      "again with a smaller schedule.rate, a longer schedule.warmup or optimizer.clip_norm",
      skipped_in_a_row_));
}

StatusOr<ModelFile> Run::CurrentModel() {
  ModelFile file;
  FACEGATE_ASSIGN_OR_RETURN(file.tensors, training_->Weights());
  ModelCard& card = file.card;
  card.architecture = recipe_.training.architecture;
  card.embedding_size = static_cast<int>(recipe_.training.head.embedding_size);
  card.preprocessing = preprocessing_;
  card.preprocessing.mirror_average = recipe_.evaluate_mirror;
  card.training_data = recipe_.training_data;
  card.licence = recipe_.licence;
  card.origin = recipe_.origin.empty() ? "facegate-train fit" : recipe_.origin;
  card.recipe = RecipeSummary(recipe_);
  if (teacher_ != nullptr) card.teacher = teacher_->description();
  card.intended_use = recipe_.intended_use;
  card.unintended_use = recipe_.unintended_use;
  return file;
}

Status Run::Evaluate() {
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

Status Run::EvaluateSet(const EvaluationSet& set, Embedder& embedder, bool first) {
  const int64_t batches = training_->batches();
  FACEGATE_ASSIGN_OR_RETURN(SetScores scores, ScoreSet(set, embedder, [&](const Status& status) {
                              bad_photos_.Add(status);
                            }));
  FACEGATE_RETURN_IF_ERROR(SayBadPhotos());
  const EvaluationRow row = RowOf(scores, set.name, batches, EpochAt(batches));
  FACEGATE_RETURN_IF_ERROR(log_->Evaluation(row));
  FACEGATE_RETURN_IF_ERROR(Say(fmt::format(
      "after batch {}: {} accuracy {:.2f} ± {:.2f} %, TAR@FAR 1e-3 {:.2f} %, EER {:.2f} %", batches,
      set.name, 100.0 * row.accuracy, 100.0 * row.deviation, 100.0 * row.tar_1e3,
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

Status Run::Better(const SetScores& scores) {
  report_.last_accuracy = scores.accuracy.mean;
  if (training_->batches() == 0) {
    // Random weights are where it begins, not something to keep.
    report_.first_accuracy = scores.accuracy.mean;
    return OkStatus();
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
  FACEGATE_ASSIGN_OR_RETURN(ModelFile file, CurrentModel());
  const Status written =
      WriteProvenModel(directory_->File("best.safetensors"), std::move(file)).status();
  UseThreads();
  return written;
}

Status Run::SaveCheckpoint() {
  const int64_t batches = training_->batches();
  if (batches == saved_at_) return OkStatus();
  CheckpointFacts facts{{kDigest, data_.digest},
                        {kBestBatch, std::to_string(report_.best_batch)},
                        {kWithoutBetter, std::to_string(without_better_)}};
  if (report_.best) facts[kBest] = fmt::format("{}", *report_.best);
  if (report_.first_accuracy) facts[kFirstAccuracy] = fmt::format("{}", *report_.first_accuracy);
  FACEGATE_RETURN_IF_ERROR(log_->Sync());
  FACEGATE_RETURN_IF_ERROR(training_->Save(directory_->CheckpointPath(batches), facts));
  saved_at_ = batches;
  return directory_->Prune(static_cast<size_t>(recipe_.checkpoint_keep));
}

Status Run::Finish() {
  // After an early end, and after going on from the very last batch.
  if (scores_.empty()) FACEGATE_RETURN_IF_ERROR(Evaluate());
  FACEGATE_ASSIGN_OR_RETURN(ModelFile file, CurrentModel());
  for (size_t i = 0; i < scores_.size(); ++i) {
    file.card.accuracy.push_back({.measure = data_.sets[i].name + " pairs, 10-fold accuracy",
                                  .value = 100.0 * scores_[i].accuracy.mean,
                                  .unit = "%",
                                  .command = "facegate-train fit"});
  }
  // From people who were not trained on; a threshold of few pairs would mean nothing.
  if (!scores_.empty() && scores_[0].impostors >= kFewImpostors) {
    file.card.default_min_cosine = static_cast<float>(scores_[0].threshold_1e3);
  }
  report_.model = directory_->File("model.safetensors");
  const Status written = WriteProvenModel(report_.model, std::move(file)).status();
  UseThreads();
  return written;
}

Status Run::WritePage() {
  ReportInput input;
  input.title = fmt::format("Training {}", recipe_.training.architecture);
  input.summary = fmt::format("{} after {} of {} batches: {} photos of {} identities, {} loss.",
                              report_.end == FitEnd::kStoppedToGoOn ? "Stopped" : "Ended",
                              training_->batches(), total_, data_.training->size(),
                              data_.identities, recipe_.training.head.margin.kind);
  FACEGATE_ASSIGN_OR_RETURN(input.steps, ReadSteps(directory_->path()));
  FACEGATE_ASSIGN_OR_RETURN(input.evaluations, ReadEvaluations(directory_->path()));
  for (size_t i = 0; i < scores_.size(); ++i) {
    ScoredSet& set = input.sets.emplace_back(ReportOf(data_.sets[i], scores_[i], kHardestPairs));
    for (HardPair& pair : set.hardest) {
      for (std::string* const name : {&pair.first_name, &pair.second_name}) {
        if (name->starts_with(recipe_.root + "/")) name->erase(0, recipe_.root.size() + 1);
      }
    }
  }
  FACEGATE_ASSIGN_OR_RETURN(input.configuration, ReadRunRecipe(directory_->path()));
  input.environment = {{"threads", std::to_string(recipe_.threads)}, {"data digest", data_.digest}};
  input.notes = notes_;
  return WriteReport(directory_->File("report.html"), input);
}

}  // namespace

StatusOr<FitReport> Fit(const Recipe& recipe, const FitOptions& options, std::ostream& progress) {
  FACEGATE_RETURN_IF_ERROR(CheckRecipe(recipe));
  FACEGATE_ASSIGN_OR_RETURN(const auto run, Run::Begin(recipe, options, progress));
  return run->Go();
}

}  // namespace facegate
