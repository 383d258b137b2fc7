#pragma once

#include <cstdint>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/append_file.h"
#include "face/base/clock.h"
#include "face/base/status.h"
#include "trainer/report/event_file.h"
#include "trainer/report/run_rows.h"

namespace facegate::report {

// The written record of a run in its directory:
//   steps.csv, evaluations.csv  a row each, with a header; empty is what was not measured
//   validation.csv              the same, where photos are kept from training
//   log.jsonl                   the same rows and all notes, a JSON object with time and kind in
//                               each line
//   events.out.tfevents.*       for TensorBoard, one file for each time that the run was started
// Files are buffered and written every few seconds; Sync() makes all of them survive a power loss,
// and belongs before a checkpoint is written. Not thread-safe.
class RunLog {
 public:
  // `directory` exists; `clock` must outlive the RunLog. A run that goes on after `resume_batch`
  // batches loses the rows that were written after that checkpoint (steps from this batch on,
  // evaluations after it), so that no batch is there twice, and a last line that was cut off. With
  // 0 the run starts from the beginning and only the notes of earlier attempts stay. kDataLoss when
  // a row that was written before cannot be read.
  static StatusOr<std::unique_ptr<RunLog>> Open(const std::string& directory, int64_t resume_batch,
                                                const Clock& clock = Clock::System());

  Status Step(const StepRow& row);
  // Both are for a batch once, each set for itself: what is told again of the batch that was told
  // last, also before the run went on, is dropped. kInvalidArgument when the set's name has a line
  // end.
  Status Evaluation(const EvaluationRow& row);
  Status Validation(const ValidationRow& row);
  // A sentence about what happened.
  Status Note(std::string_view text);
  // See EventFile.
  Status Histogram(std::string_view tag, int64_t batch, std::span<const float> values);
  Status Image(std::string_view tag, int64_t batch, const cv::Mat& image);
  Status Text(std::string_view tag, int64_t batch, std::string_view text);
  Status Graph(std::string_view graph);
  Status Flush();
  Status Sync();

 private:
  struct Files {
    std::unique_ptr<AppendFile> steps;
    std::unique_ptr<AppendFile> evaluations;
    std::unique_ptr<AppendFile> validation;  // null until there is something to write
    std::unique_ptr<AppendFile> log;
    std::unique_ptr<EventFile> events;
  };
  RunLog(std::string directory, Files files, const Clock& clock);
  Status AddEvaluationEvents(const EvaluationRow& row);
  Status AddValidationEvents(const ValidationRow& row);
  Status FlushNowAndThen();

  const std::string directory_;
  Files files_;
  const Clock& clock_;
  int64_t last_batch_ = 0;  // of notes
  // The batch that was evaluated last, and which sets were: a run that is at its end evaluates it
  // again.
  int64_t evaluated_at_ = 0;
  std::set<std::string> evaluated_{};
  std::optional<int64_t> validated_at_{};
  Clock::TimePoint next_flush_;
};

// Reads what the CSV files of a run hold; empty where there is no file. A last line that was cut
// off is left out; kDataLoss names another line that cannot be read.
StatusOr<std::vector<StepRow>> ReadSteps(const std::string& directory);
StatusOr<std::vector<EvaluationRow>> ReadEvaluations(const std::string& directory);
StatusOr<std::vector<ValidationRow>> ReadValidation(const std::string& directory);

}  // namespace facegate::report
