#pragma once

#include <torch/utils.h>

#include <chrono>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <ostream>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "face/base/status.h"
#include "face/embed/embedder.h"
#include "face/image/preprocessing.h"
#include "face/weights/model_file.h"
#include "trainer/learn/training.h"
#include "trainer/photos/loader.h"
#include "trainer/report/run_log.h"
#include "trainer/run/fit.h"
#include "trainer/run/fit_progress.h"
#include "trainer/run/guard.h"
#include "trainer/run/resolved_recipe.h"
#include "trainer/run/run_directory.h"
#include "trainer/run/set_scores.h"
#include "trainer/run/teacher.h"
#include "trainer/run/training_data.h"

namespace facegate {

// The run's own facts in a checkpoint.
struct FitFacts {
  static constexpr char kDigest[] = "photos_digest";
  static constexpr char kTeacher[] = "teacher_digest";
  static constexpr char kBest[] = "best";
  static constexpr char kBestBatch[] = "best_batch";
  static constexpr char kWithoutBetter[] = "without_better";
  static constexpr char kFirstAccuracy[] = "first_accuracy";
  static constexpr char kBegunWith[] = "begun_with";
};

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

// A run of `fit`: what it needs while it goes on, in three files by phase (begin, go on, judge).
class FitRun {
 public:
  static StatusOr<std::unique_ptr<FitRun>> Begin(const Recipe& recipe, const FitOptions& options,
                                                 std::ostream& progress);
  StatusOr<FitReport> Go();

 private:
  FitRun(const FitOptions& options, std::ostream& progress) : options_(options), out_(progress) {}

  // The photos that the recipe names, and with them the recipe that the run trains by.
  Status OpenData(const Recipe& spelled_out);
  Status OpenTraining();
  Status OpenOwnTeacher();
  Status Resume();
  Status CheckSameAs(const CheckpointFacts& facts) const;
  Status TakeStartWeights();
  Status StartLoader();
  // The run has begun from here on: the recipe is kept, the log is written.
  Status Freeze();
  // Says what is said once, before the first batch of this call.
  Status SayWarnings();

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

  ResolvedRecipe recipe_;
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

  std::chrono::steady_clock::time_point last_step_;
  int64_t skipped_in_a_row_ = 0;
  int64_t without_better_ = 0;
  int64_t saved_at_ = -1;
  std::string begun_with_;           // the weights that it began with, in words; empty: random ones
  std::set<std::string> told_sets_;  // of evaluation, whose bad photos were named
  std::vector<std::string> notes_;
  std::vector<SetScores> scores_;  // of the last evaluation
};

}  // namespace facegate
