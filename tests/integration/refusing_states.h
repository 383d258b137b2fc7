#pragma once

#include <vector>

#include "tests/integration/hostile_rows.h"

namespace facegate {

// Refusals that need a state of the server. Each row builds a server of its own, so that they may
// be called in any order.
std::vector<HostileRow> RefusingStates();

}  // namespace facegate
