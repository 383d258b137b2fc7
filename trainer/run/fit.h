#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "trainer/run/recipe.h"
#include "trainer/run/session.h"

namespace facegate {

class ProcessGroup;

struct FitOptions {
  std::string directory{};  // of the run
  int64_t stop_after = 0;   // batches of this call, after which it stops as if asked to; 0: never
  // The epoch of the training at which it is evaluated and stops; 0: never. The rate is that of the
  // whole schedule.
  double stop_at = 0.0;
  // Called after each batch with how many were learned, of how many in all. May be empty.
  std::function<void(int64_t batches, int64_t total)> on_batch{};
  // Starts the other processes of a recipe with machine.processes above 1, which call FollowFit(),
  // and meets them. Empty: such a recipe is refused.
  std::function<StatusOr<std::shared_ptr<ProcessGroup>>(const Recipe& spelled_out)> join{};
};

enum class FitEnd {
  kFinished,       // all batches were learned
  kStoppedEarly,   // nothing better came for too long
  kStoppedToGoOn,  // a checkpoint says where to go on
  kStoppedAtEpoch  // the same, at FitOptions::stop_at
};

struct FitReport {
  FitEnd end = FitEnd::kFinished;
  int64_t batches = 0;
  int64_t resumed_at = 0;  // batches that were learned before this call
  std::string measure{};   // checkpoint.best_by
  // By the measure, 0..1; an eer and a loss are negative, so that more is better.
  std::optional<double> best;
  int64_t best_batch = 0;
  std::optional<double> first_accuracy;  // before the first batch: the mean of the sets that count
  std::optional<double> last_accuracy;
  std::string model{};  // the model file; empty unless training has ended
};

// Trains in the run's folder, or goes on from its newest checkpoint that can be read. Equal recipe,
// photos, threads and processes give equal weights to the bit, whether it was stopped or killed in
// between or not. The session has the recipe's threads, or this process's share of them. What
// happens is said in the session and in the run's log. Asked to stop, by a signal too, it writes a
// checkpoint, if a batch was learned, and ends. The folder keeps the recipe, SpelledOut(), once
// everything that it names was opened and fits; until the first checkpoint another one may take its
// place.
StatusOr<FitReport> Fit(const Recipe& recipe, const FitOptions& options, Session& session);

}  // namespace facegate
