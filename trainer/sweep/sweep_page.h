#pragma once

#include <string>

#include "face/base/status.h"
#include "trainer/sweep/sweep_run.h"

namespace facegate {

// The sweep as one HTML page that needs nothing else: a picture with an axis for each key that was
// tried and one for the score, a line for each trial; all trials in a table, the best first; and
// the base recipe.
std::string SweepPage(const SweepReport& report);
// SweepPage() as sweep.html in the folder of the sweep, written atomically.
Status WriteSweepPage(const SweepReport& report);

}  // namespace facegate
