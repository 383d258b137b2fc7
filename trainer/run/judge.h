#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/embed/embedder.h"
#include "trainer/report/run_log.h"
#include "trainer/run/guard.h"
#include "trainer/run/learner.h"
#include "trainer/run/run_directory.h"
#include "trainer/run/run_facts.h"
#include "trainer/run/session.h"
#include "trainer/run/set_scores.h"

namespace facegate {

// How a run stands by its evaluations; checkpoints keep it.
struct Standing {
  std::optional<double> best;  // by checkpoint.best_by, 0..1; an eer is negative: more is better
  int64_t best_batch = 0;
  int64_t without_better = 0;            // evaluations since then
  std::optional<double> first_accuracy;  // before the first batch, of the first set
  std::optional<double> last_accuracy;
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

  // Scores the pairs of all sets, and writes the best model where the first set says that it is
  // one. A network that cannot be evaluated is a warning.
  Status Evaluate();
  // Tells whether checkpoint.patience evaluations brought nothing better.
  bool out_of_patience() const;
  // Writes the model of a training that has ended, with its figures in its card; its path.
  StatusOr<std::string> WriteLast();

  const Standing& standing() const { return standing_; }
  // These are of the last evaluation, a set each.
  const std::vector<SetScores>& scores() const { return scores_; }

 private:
  Status EvaluateSet(const EvaluationSet& set, Embedder& embedder);
  Status LogSet(const EvaluationSet& set, const SetScores& scores);
  Status Compare(const SetScores& scores);

  const Parts parts_;
  Standing standing_;
  std::set<std::string> told_sets_;  // of evaluation, whose bad photos were named
  std::vector<SetScores> scores_;
};

}  // namespace facegate
