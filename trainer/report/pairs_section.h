#pragma once

#include <span>
#include <string>

#include "trainer/report/html_report.h"

namespace facegate {

// Pairs as pictures side by side, those of one person first; empty without pairs.
std::string PairsSection(std::span<const HardPair> pairs);

}  // namespace facegate
