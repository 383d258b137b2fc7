#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "trainer/inspect/set_report.h"

namespace facegate {

enum class FindingWeight {
  kNote,     // good to know
  kWarning,  // training works, worse than it could
  kError,    // must be fixed before training
};

// "note", "warning", "error".
std::string_view FindingName(FindingWeight weight);

struct Finding {
  FindingWeight weight = FindingWeight::kNote;
  std::string text;  // what is wrong and what to do; one sentence or two
};

// Says what is to be done about a set, the most serious first. Empty where nothing is.
std::vector<Finding> JudgeSet(const SetReport& report);

}  // namespace facegate
