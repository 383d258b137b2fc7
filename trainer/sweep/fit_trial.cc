#include "trainer/sweep/fit_trial.h"

#include <fmt/format.h>

#include <filesystem>
#include <fstream>
#include <system_error>

#include "face/base/catch.h"
#include "trainer/run/session.h"
#include "trainer/sweep/scoring.h"

namespace facegate {

StatusOr<FitReport> FitTrial(const TrialPart& part) {
  std::error_code error;
  std::filesystem::create_directories(part.folder, error);
  std::ofstream log(part.folder + "/fit.log", std::ios::app);
  if (error || !log) {
    return FailedPrecondition(fmt::format("cannot write to {}/fit.log", part.folder));
  }
  Session session(
      {.out = log,
       .progress = log,
       .terminal = false,
       .threads = part.threads > 0 ? part.threads : static_cast<int>(part.recipe.machine.threads),
       .asked_to_stop = part.asked_to_stop});
  const FitOptions options{.directory = part.folder,
                           .stop_at = part.stop_at,
                           .on_batch = part.on_batch,
                           .join = part.join};
  FACEGATE_ASSIGN_OR_RETURN(FitReport report, CatchToStatus("training", [&] {
                              return Fit(part.recipe, options, session);
                            }));
  if (report.best_batch > 0 || !report.best.has_value()) return report;
  FACEGATE_ASSIGN_OR_RETURN(const auto learned, BestLearned(part.folder, part.recipe));
  report.best.reset();
  if (!learned.has_value()) return report;
  report.best = learned->score;
  report.best_batch = learned->batch;
  return report;
}

}  // namespace facegate
