#pragma once

#include <span>
#include <string>

#include "face/base/status.h"
#include "trainer/report/html_report.h"

namespace facegate::report {

// Shows how well the scores of sets of pairs tell people apart, as a part of a page: figures, ROC
// and DET curves of all sets; then of each set the histogram, the errors over the threshold, a
// table of operating points and the hardest pairs. Empty without sets. kInvalidArgument, naming the
// set, where a set lacks genuine or impostor pairs or has a score that is not finite.
StatusOr<std::string> ScoresSection(std::span<const ScoredSet> sets);

}  // namespace facegate::report
