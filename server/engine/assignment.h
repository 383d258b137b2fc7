#pragma once

#include <cstddef>
#include <optional>
#include <span>
#include <vector>

#include "face/base/status.h"
#include "face/base/stop_check.h"

namespace facegate {

// A row and a column that may be put together, and what that is worth.
struct WeightedPair {
  size_t row = 0;
  size_t column = 0;
  double weight = 0.0;  // finite, >= 0
};

// Gives each row a column, so that the sum of the weights is largest: each row and each column at
// most once, and only pairs that are given (once each). The Hungarian method in the form of
// shortest augmenting paths (Jonker and Volgenant, 1987), with what is given alone: memory in the
// order of rows + columns + pairs, time at most in the order of rows^3 log(rows); `stop` is asked
// meanwhile.
StatusOr<std::vector<std::optional<size_t>>> BestAssignment(size_t rows, size_t columns,
                                                            std::span<const WeightedPair> pairs,
                                                            const StopCheck& stop = {});

}  // namespace facegate
