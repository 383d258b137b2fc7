#pragma once

#include <ostream>

#include "trainer/command/eval.h"

namespace facegate {

void PrintTable(const EvalResult& result, std::ostream& out);
// Shares are 0 to 1.
void PrintJson(const EvalResult& result, std::ostream& out);

}  // namespace facegate
