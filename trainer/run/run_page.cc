#include "trainer/run/run_page.h"

#include <fmt/format.h>

#include <cstddef>
#include <string>

#include "trainer/report/html_report.h"
#include "trainer/report/run_log.h"

namespace facegate {
namespace {

constexpr size_t kHardestPairs = 8;

}  // namespace

Status WriteRunPage(const RunFacts& facts, const RunDirectory& directory, const Judge& judge,
                    const Session& session, int64_t batches, bool ended) {
  const TrainingData& data = facts.data;
  report::ReportInput input;
  input.title = fmt::format("Training {}", facts.recipe.training.architecture);
  input.summary =
      fmt::format("{} after {} of {} batches: {} photos of {} identities, {} loss.",
                  ended ? "Ended" : "Stopped", batches, facts.total, data.training->size(),
                  data.identities, facts.recipe.training.head.margin.kind);
  FACEGATE_ASSIGN_OR_RETURN(input.steps, report::ReadSteps(directory.path()));
  FACEGATE_ASSIGN_OR_RETURN(input.evaluations, report::ReadEvaluations(directory.path()));
  FACEGATE_ASSIGN_OR_RETURN(input.validation, report::ReadValidation(directory.path()));
  if (judge.standing().best.has_value()) input.best_batch = judge.standing().best_batch;
  for (size_t i = 0; i < judge.scores().size(); ++i) {
    report::ScoredSet& set =
        input.sets.emplace_back(ReportOf(data.sets[i], judge.scores()[i], kHardestPairs));
    for (report::HardPair& pair : set.hardest) {
      for (std::string* const name : {&pair.first_name, &pair.second_name}) {
        *name = NameBelow(*name, data.folders);
      }
    }
  }
  FACEGATE_ASSIGN_OR_RETURN(input.configuration, ReadRunRecipe(directory.path()));
  input.environment = {{"threads", std::to_string(session.threads())},
                       {"data digest", data.digest}};
  input.notes = session.notes();
  return report::WriteReport(directory.File("report.html"), input);
}

}  // namespace facegate
