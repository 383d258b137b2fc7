#pragma once

#include <span>
#include <string>

#include "trainer/report/html_report.h"

namespace facegate::report {

// Pairs as pictures side by side, those of one person first, each marked as judged right or wrong
// by `threshold`; empty without pairs. Absolute paths are shown below the folder that all have in
// common.
std::string PairsSection(std::span<const HardPair> pairs, double threshold);

}  // namespace facegate::report
