#pragma once

#include <vector>

#include "tests/integration/hostile_rows.h"

namespace facegate {

// Refusals that need a state of the server: its model, detector, store and clock are the test's,
// its port is a real one.
class RefusingStates {
 public:
  // Each row builds a server of its own, so that they may be called in any order.
  std::vector<HostileRow> Rows();
};

}  // namespace facegate
