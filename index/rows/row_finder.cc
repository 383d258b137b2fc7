#include "index/rows/row_finder.h"

#include <algorithm>

namespace facegate {

Coverage::Coverage(std::vector<Part> parts) : parts_(std::move(parts)) {
  std::sort(parts_.begin(), parts_.end(),
            [](const Part& a, const Part& b) { return a.segment < b.segment; });
  for (const Part& part : parts_) rows_ += part.rows;
}

size_t Coverage::RowsOf(uint64_t segment) const {
  const auto part =
      std::lower_bound(parts_.begin(), parts_.end(), segment,
                       [](const Part& p, uint64_t wanted) { return p.segment < wanted; });
  return part == parts_.end() || part->segment != segment ? 0 : part->rows;
}

}  // namespace facegate
