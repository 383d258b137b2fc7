#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/embed/embedder.h"
#include "trainer/report/run_log.h"
#include "trainer/report/run_rows.h"
#include "trainer/run/guard.h"
#include "trainer/run/learner.h"
#include "trainer/run/run_directory.h"
#include "trainer/run/run_facts.h"
#include "trainer/run/session.h"
#include "trainer/run/set_scores.h"

namespace facegate {

// How a run stands by its evaluations; checkpoints keep it.
struct Standing {
  // By checkpoint.best_by. More is better: an eer (0..1) and a loss are negative.
  std::optional<double> best;
  int64_t best_batch = 0;
  int64_t without_better = 0;  // evaluations since then
  // The mean of the sets that count: before the first batch, and now.
  std::optional<double> first_accuracy;
  std::optional<double> last_accuracy;
  // Of the batches since the last evaluation.
  double loss_sum = 0.0;
  int64_t losses = 0;
};

// Evaluates a run's network and keeps the best one. Not thread-safe.
class Judge {
 public:
  // It works with these, all of which outlive it.
  struct Parts {
    const RunFacts& facts;
    Session& session;
    const RunDirectory& directory;
    Learner& learner;
    report::RunLog& log;
    TrainingGuard& guard;
  };
  Judge(const Parts& parts, const Standing& standing) : parts_(parts), standing_(standing) {}

  // Takes note of a batch that was learned.
  void AddLoss(double loss);
  // Scores the pairs of all sets, and writes the best model where this is one. A network that
  // cannot be evaluated is a warning.
  Status Evaluate();
  // Tells whether checkpoint.patience evaluations brought nothing better.
  bool out_of_patience() const;
  // Writes the model of a training that has ended, with its figures in its card; its path.
  StatusOr<std::string> WriteLast();

  const Standing& standing() const { return standing_; }
  // These are of the last evaluation, a set each.
  const std::vector<SetScores>& scores() const { return scores_; }

 private:
  Status EvaluateSets();
  // Measures the photos that were kept from training.
  Status Validate();
  Status EvaluateSet(const EvaluationSet& set, Embedder& embedder);
  Status LogSet(const EvaluationSet& set, const SetScores& scores);
  // The figures of the sets of checkpoint.best_sets; none where they cannot be evaluated.
  std::vector<report::EvaluationRow> RowsThatCount() const;
  // Tells whether there is anything that checkpoint.best_by could say of the last evaluation.
  bool IsJudged() const;
  // What it says; it may be no number.
  StatusOr<double> Measure() const;
  Status Compare();

  const Parts parts_;
  Standing standing_;
  std::set<std::string> told_sets_;  // of evaluation, whose bad photos were named
  std::vector<SetScores> scores_;
  double validation_loss_ = report::kNotMeasured;  // of the last evaluation
  bool told_validation_ = false;                   // its bad photos were named
  std::optional<int64_t> evaluated_at_;            // the batch of the last evaluation
};

}  // namespace facegate
