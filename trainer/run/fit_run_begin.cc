#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <charconv>
#include <cmath>
#include <utility>

#include "trainer/measure/verification.h"
#include "trainer/run/fit_run.h"
#include "trainer/run/start_weights.h"

namespace facegate {
namespace {

constexpr size_t kPhotosForChannels = 200;
constexpr size_t kManyPairs = 1000;
constexpr size_t kNamesShown = 4;
constexpr double kBestFar = 1e-3;  // of checkpoint.best_by: tar

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

// Says how exact an accuracy of few pairs is: 1.96 deviations at an accuracy of one half.
std::string PrecisionOf(size_t pairs) {
  if (pairs >= kManyPairs) return "";
  return fmt::format(
      " (so few pairs measure an accuracy to about ± {:.0f} %; more held-out people or photos, or "
      "a longer list, measure it better)",
      98.0 / std::sqrt(static_cast<double>(pairs)));
}

// "a, b and 5 more".
std::string SomeOf(std::vector<std::string> names) {
  const size_t count = names.size();
  names.resize(std::min(count, kNamesShown));
  return fmt::format("{}{}", fmt::join(names, ", "),
                     count > kNamesShown ? fmt::format(" and {} more", count - kNamesShown) : "");
}

// Why the best model by "tar" would be chosen by chance.
std::optional<std::string> BestByWarning(const ResolvedRecipe& recipe, const TrainingData& data) {
  if (recipe.best_by != "tar" || data.sets.empty()) return std::nullopt;
  const std::vector<EvaluationSet::Pair>& pairs = data.sets.front().pairs;
  const auto impostors = static_cast<size_t>(std::count_if(
      pairs.begin(), pairs.end(), [](const EvaluationSet::Pair& pair) { return !pair.same; }));
  if (IsMeasurable(kBestFar, impostors)) return std::nullopt;
  return fmt::format(
      "checkpoint.best_by is tar, at a false accept rate of {:g}, which {} impostor pairs of {} do "
      "not show: {:g} are needed. Choose accuracy or eer, or evaluate with more pairs",
      kBestFar, impostors, data.sets.front().name, 1.0 / kBestFar);
}

}  // namespace

Status FitRun::OpenData(const Recipe& spelled_out) {
  FACEGATE_ASSIGN_OR_RETURN(data_, OpenTrainingData(DataOptionsOf(spelled_out)));
  const auto photos = static_cast<int64_t>(data_.training->size());
  batches_per_epoch_ = std::max<int64_t>(1, photos / spelled_out.data.batch);
  FACEGATE_ASSIGN_OR_RETURN(
      recipe_, ResolveRecipe(spelled_out, {.identities = static_cast<int64_t>(data_.identities),
                                           .batches_per_epoch = batches_per_epoch_}));
  total_ = recipe_.training.schedule.total * recipe_.training.accumulate;
  evaluate_every_ = std::max<int64_t>(
      1, std::llround(recipe_.evaluate_every * static_cast<double>(batches_per_epoch_)));
  out_ << fmt::format("{} photos: {} of {} identities ({} generated), {} for the teacher only\n",
                      photos, data_.labelled, data_.identities, data_.synthetic,
                      data_.training->size() - data_.labelled);
  for (const EvaluationSet& set : data_.sets) {
    out_ << fmt::format("{} pairs of {} photos to evaluate with: {}{}\n", set.pairs.size(),
                        set.photos.size(), set.name, PrecisionOf(set.pairs.size()));
  }
  out_ << fmt::format("{} batches of {} photos (epochs: {:g}, threads: {})\n", total_,
                      recipe_.batch, recipe_.epochs, recipe_.threads);
  return OkStatus();
}

Status FitRun::OpenTraining() {
  preprocessing_.colour_order = recipe_.colours;
  UseThreads();
  FACEGATE_ASSIGN_OR_RETURN(training_, Training::Create(recipe_.training));
  return recipe_.teacher.empty() ? OkStatus() : OpenOwnTeacher();
}

Status FitRun::OpenOwnTeacher() {
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
  FACEGATE_ASSIGN_OR_RETURN(const auto shapes, training_->MapShapes());
  if (shapes == teacher_->map_shapes()) return OkStatus();
  return InvalidArgument(fmt::format(
      "teacher.map_weight needs maps of the same shapes: the teacher's are {}, those of {} are {}",
      fmt::join(teacher_->map_shapes(), ", "), recipe_.training.architecture,
      fmt::join(shapes, ", ")));
}

Status FitRun::Resume() {
  FACEGATE_ASSIGN_OR_RETURN(const auto checkpoints, directory_->Checkpoints());
  bool resumed = false;
  for (const RunDirectory::Checkpoint& checkpoint : checkpoints) {
    const auto facts = training_->Resume(checkpoint.path);
    if (!facts.ok()) {
      // A power loss may have torn it; the one before is whole.
      notes_.push_back(
          fmt::format("{} cannot be used: {}", checkpoint.path, MessageOf(facts.status())));
      out_ << notes_.back() << "\n";
      continue;
    }
    FACEGATE_RETURN_IF_ERROR(CheckSameAs(*facts));
    report_.best = Parsed<double>(*facts, FitFacts::kBest);
    report_.best_batch = Parsed<int64_t>(*facts, FitFacts::kBestBatch).value_or(0);
    report_.first_accuracy = Parsed<double>(*facts, FitFacts::kFirstAccuracy);
    without_better_ = Parsed<int64_t>(*facts, FitFacts::kWithoutBetter).value_or(0);
    if (const auto begun = facts->find(FitFacts::kBegunWith); begun != facts->end()) {
      begun_with_ = begun->second;
    }
    resumed = true;
    break;
  }
  if (!resumed && !checkpoints.empty()) {
    return FailedPrecondition(
        fmt::format("none of the checkpoints of {} can be used", directory_->path()));
  }
  report_.resumed_at = training_->batches();
  saved_at_ = resumed ? training_->batches() : -1;
  return OkStatus();
}

Status FitRun::StartLoader() {
  LoaderOptions options;
  options.sampler = {.batch = static_cast<size_t>(recipe_.batch),
                     .seed = recipe_.training.seed,
                     .balanced = recipe_.balanced};
  options.augment = recipe_.augment;
  options.blend = recipe_.blend;
  options.degrade = recipe_.degrade;
  options.preprocessing = preprocessing_;
  options.threads = static_cast<int>(recipe_.loader_threads);
  options.first_step = static_cast<size_t>(training_->batches());
  FACEGATE_ASSIGN_OR_RETURN(
      loader_, Loader::Start(*data_.training, options,
                             [this](const Status& status) { bad_photos_.Add(status); }));
  return OkStatus();
}

Status FitRun::CheckSameAs(const CheckpointFacts& facts) const {
  const auto digest = facts.find(FitFacts::kDigest);
  if (digest == facts.end()) {
    return FailedPrecondition(fmt::format(
        "{} was begun by an earlier version, which did not note enough about its photos to go on; "
        "begin a new run, with a checkpoint of this one as its network.init if you like",
        directory_->path()));
  }
  if (digest->second != data_.digest) {
    return FailedPrecondition(fmt::format(
        "the photos are not those that {} was begun with; begin a new run", directory_->path()));
  }
  const auto taught = facts.find(FitFacts::kTeacher);
  if (taught != facts.end() && (teacher_ == nullptr || taught->second != teacher_->digest())) {
    return FailedPrecondition(
        fmt::format("{} is not the model that {} was begun with; begin a new run", recipe_.teacher,
                    directory_->path()));
  }
  return OkStatus();
}

Status FitRun::TakeStartWeights() {
  if (recipe_.init.empty() || training_->batches() > 0) return OkStatus();
  FACEGATE_ASSIGN_OR_RETURN(const StartWeights weights,
                            ReadStartWeights(recipe_.init, recipe_.training.architecture));
  const auto taken = training_->StartFrom(weights.tensors);
  if (!taken.ok()) return Annotate(taken.status(), recipe_.init);
  begun_with_ = weights.description;
  FACEGATE_RETURN_IF_ERROR(
      Say(fmt::format("begins with {} of the {} tensors of {}", taken->taken,
                      taken->taken + taken->left.size(), weights.description)));
  if (!weights.left.empty()) {
    FACEGATE_RETURN_IF_ERROR(
        Say(fmt::format("left out of it, as no part of the network: {}", SomeOf(weights.left))));
  }
  if (!taken->left.empty()) {
    FACEGATE_RETURN_IF_ERROR(Say(fmt::format("of its tensors, {} do not fit and were not taken: {}",
                                             taken->left.size(), SomeOf(taken->left))));
  }
  if (!taken->missing.empty()) {
    FACEGATE_RETURN_IF_ERROR(Say(fmt::format(
        "tensors of the network that it does not have begin with random weights; {} in all: {}",
        taken->missing.size(), SomeOf(taken->missing))));
  }
  if (weights.colours.has_value() && *weights.colours != preprocessing_.colour_order) {
    return Say(
        "warning: these weights were trained with the other order of colours; see data.colour");
  }
  return OkStatus();
}

Status FitRun::Freeze() {
  const std::vector<RecipeChange>& changes = directory_->changes();
  if (!changes.empty() && !directory_->has_learned()) {
    FACEGATE_RETURN_IF_ERROR(Say(fmt::format(
        "nothing has been learned in {} yet: it begins again with the recipe of this call",
        directory_->path())));
  } else {
    for (const std::string& sentence : DescribeChanges(changes)) {
      FACEGATE_RETURN_IF_ERROR(Say(sentence));
    }
  }
  FACEGATE_RETURN_IF_ERROR(directory_->Freeze());
  const int64_t begin = training_->batches();
  FACEGATE_ASSIGN_OR_RETURN(log_, RunLog::Open(directory_->path(), begin));
  for (const std::string& note : notes_) FACEGATE_RETURN_IF_ERROR(log_->Note(note));
  return OkStatus();
}

Status FitRun::SayWarnings() {
  for (const std::string& sentence : recipe_.warnings) {
    FACEGATE_RETURN_IF_ERROR(Say("warning: " + sentence));
  }
  if (const auto warning = BestByWarning(recipe_, data_)) {
    FACEGATE_RETURN_IF_ERROR(Say("warning: " + *warning));
  }
  for (const std::string& note : data_.notes) FACEGATE_RETURN_IF_ERROR(Say(note));
  if (training_->batches() > 0) {
    return Say(fmt::format("going on after batch {}", training_->batches()));
  }
  const auto swapped = SwappedChannels(*data_.training, kPhotosForChannels);
  return swapped.has_value() ? Say("warning: " + *swapped) : OkStatus();
}

StatusOr<std::unique_ptr<FitRun>> FitRun::Begin(const Recipe& recipe, const FitOptions& options,
                                                std::ostream& progress) {
  const Recipe spelled_out = SpelledOut(recipe);
  std::unique_ptr<FitRun> run(new FitRun(options, progress));
  FACEGATE_ASSIGN_OR_RETURN(
      run->directory_,
      RunDirectory::Open(options.directory, RecipeToYaml(WithRelativePaths(spelled_out)),
                         RecipeToYaml(Recipe{})));
  FACEGATE_RETURN_IF_ERROR(run->OpenData(spelled_out));
  FACEGATE_RETURN_IF_ERROR(run->OpenTraining());
  FACEGATE_RETURN_IF_ERROR(run->Resume());
  FACEGATE_RETURN_IF_ERROR(run->TakeStartWeights());
  FACEGATE_RETURN_IF_ERROR(run->StartLoader());
  FACEGATE_RETURN_IF_ERROR(run->Freeze());
  run->guard_ = std::make_unique<TrainingGuard>(
      run->data_.identities,
      run->recipe_.training.schedule.warmup * run->recipe_.training.accumulate +
          run->recipe_.training.margin_warmup);
  run->progress_ = std::make_unique<FitProgress>(
      progress, options.terminal, run->training_->batches(), run->total_, run->recipe_.epochs);
  FACEGATE_RETURN_IF_ERROR(run->SayWarnings());
  return run;
}

}  // namespace facegate
