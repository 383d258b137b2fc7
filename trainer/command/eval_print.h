#pragma once

#include <ostream>
#include <span>

#include "trainer/command/eval.h"

namespace facegate {

// All figures of one set, or a row for each of several and their mean.
void PrintTable(std::span<const EvalResult> results, std::ostream& out);
// Shares are 0 to 1. One set is an object; several are "sets", with a name each, and "mean".
void PrintJson(std::span<const EvalResult> results, std::ostream& out);

}  // namespace facegate
