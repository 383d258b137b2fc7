#pragma once

#include <cstddef>
#include <ostream>
#include <span>
#include <string>
#include <string_view>

#include "trainer/command/eval.h"
#include "trainer/measure/verification.h"

namespace facegate {

// All figures of one set, or a row for each of several and their mean.
void PrintTable(std::span<const EvalResult> results, std::ostream& out);
// Shares are 0 to 1. One set is an object; several are "sets", with a name each, and "mean".
void PrintJson(std::span<const EvalResult> results, std::ostream& out);

// "98.100 %  [97.542, 98.534]".
std::string WithInterval(const Share& share);
// Said behind a figure whose rate so many trials, such as "strangers", are too few for; else empty.
std::string Unmeasured(double rate, size_t trials, std::string_view what);

}  // namespace facegate
