#pragma once

#include <functional>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// The batch sizes up to `most` that graphs are recorded for; `most` is the last. A graph for each
// number of faces would take seconds and memory for nothing: between these, a batch is at most half
// empty when it is small and a third when it is large.
std::vector<int> BatchSizesUpTo(int most);

// Calls `record` for each size in turn, and returns the largest that it did. A kResourceExhausted
// ends that, after the first size, without being an error.
StatusOr<int> RecordWhatFits(const std::vector<int>& sizes,
                             const std::function<Status(int)>& record);

}  // namespace facegate
