#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>

#include "trainer/report/run_rows.h"

namespace facegate::report {

// Shows how a run went, as a part of a page: charts of its steps and evaluations, a table of the
// last evaluation of each set and of the one after `best_batch`, which is the run's own best, and a
// sentence about the last validation. Empty without rows. Numbers that are not finite are left out
// of the charts and counted in a sentence.
std::string LearningSection(std::span<const StepRow> steps,
                            std::span<const EvaluationRow> evaluations,
                            std::span<const ValidationRow> validation,
                            std::optional<int64_t> best_batch);

}  // namespace facegate::report
