#include "trainer/run/fit.h"

#include <memory>

#include "trainer/parallel/process_group.h"
#include "trainer/photos/loader.h"
#include "trainer/report/run_log.h"
#include "trainer/run/bad_photos.h"
#include "trainer/run/begin_fit.h"
#include "trainer/run/fit_checkpoints.h"
#include "trainer/run/fit_loop.h"
#include "trainer/run/guard.h"
#include "trainer/run/judge.h"
#include "trainer/run/learner.h"
#include "trainer/run/run_directory.h"
#include "trainer/run/run_facts.h"
#include "trainer/run/run_page.h"
#include "trainer/run/start_loader.h"
#include "trainer/run/stop_on_signal.h"

namespace facegate {
namespace {

// The processes that this one leads; null: it trains alone.
StatusOr<std::shared_ptr<ProcessGroup>> GroupOf(const Recipe& spelled_out,
                                                const FitOptions& options) {
  if (spelled_out.machine.processes == 1) return std::shared_ptr<ProcessGroup>();
  if (!options.join) {
    return InvalidArgument("machine.processes: only facegate-train fit starts other processes");
  }
  return options.join(spelled_out);
}

int64_t WarmupBatches(const TrainingOptions& training) {
  return training.schedule.warmup * training.accumulate + training.margin_warmup;
}

void Report(const Standing& standing, FitReport& report) {
  report.best = standing.best;
  report.best_batch = standing.best_batch;
  report.first_accuracy = standing.first_accuracy;
  report.last_accuracy = standing.last_accuracy;
}

}  // namespace

StatusOr<FitReport> Fit(const Recipe& recipe, const FitOptions& options, Session& session) {
  const StopOnSignal signals;
  const Recipe spelled_out = SpelledOut(recipe);
  FACEGATE_RETURN_IF_ERROR(CheckRecipe(recipe));
  FACEGATE_ASSIGN_OR_RETURN(
      const auto directory,
      RunDirectory::Open(options.directory, RecipeToYaml(WithRelativePaths(spelled_out)),
                         RecipeToYaml(Recipe{})));
  FACEGATE_ASSIGN_OR_RETURN(const RunFacts facts, OpenRunFacts(spelled_out));
  for (const std::string& line : DescribeFacts(facts)) session.Print(line);
  FACEGATE_ASSIGN_OR_RETURN(const auto group, GroupOf(spelled_out, options));
  FACEGATE_ASSIGN_OR_RETURN(const auto learner, Learner::Create(facts, session, group));
  FitCheckpoints checkpoints(facts, *directory, *learner);
  FACEGATE_ASSIGN_OR_RETURN(const Standing standing, checkpoints.Resume(session));
  FACEGATE_RETURN_IF_ERROR(TakeStartWeights(facts, *learner, session));
  FitReport report;
  report.resumed_at = learner->training().batches();
  report.measure = facts.recipe.best_by;
  BadPhotos bad_photos;
  FACEGATE_ASSIGN_OR_RETURN(auto loader,
                            StartLoader(facts, report.resumed_at, group.get(), bad_photos));
  FACEGATE_RETURN_IF_ERROR(KeepRecipe(*directory, session));
  FACEGATE_ASSIGN_OR_RETURN(const auto log,
                            report::RunLog::Open(directory->path(), report.resumed_at));
  FACEGATE_RETURN_IF_ERROR(DrawNetwork(facts, report.resumed_at, *log));
  FACEGATE_RETURN_IF_ERROR(session.KeepIn(*log));
  FACEGATE_RETURN_IF_ERROR(SayWarnings(facts, report.resumed_at, session));

  TrainingGuard guard(facts.data.identities, WarmupBatches(facts.recipe.training));
  Judge judge({.facts = facts,
               .session = session,
               .directory = *directory,
               .learner = *learner,
               .log = *log,
               .guard = guard},
              standing);
  {
    FitLoop loop({.facts = facts,
                  .session = session,
                  .learner = *learner,
                  .judge = judge,
                  .checkpoints = checkpoints,
                  .loader = *loader,
                  .bad_photos = bad_photos,
                  .log = *log,
                  .guard = guard},
                 options);
    FACEGATE_ASSIGN_OR_RETURN(report.end, loop.Run());
  }
  FACEGATE_RETURN_IF_ERROR(checkpoints.Save(judge.standing(), *log));
  FACEGATE_RETURN_IF_ERROR(learner->EndOthers());
  loader.reset();
  report.batches = learner->training().batches();
  const bool ended = report.end == FitEnd::kFinished || report.end == FitEnd::kStoppedEarly;
  if (ended) {
    FACEGATE_ASSIGN_OR_RETURN(report.model, judge.WriteLast());
  }
  Report(judge.standing(), report);
  FACEGATE_RETURN_IF_ERROR(WriteRunPage(facts, *directory, judge, session, report.batches, ended));
  FACEGATE_RETURN_IF_ERROR(log->Sync());
  return report;
}

}  // namespace facegate
