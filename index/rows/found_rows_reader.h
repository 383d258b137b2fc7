#pragma once

#include <cstddef>
#include <cstdint>
#include <utility>
#include <vector>

#include "index/rows/candidate_selection.h"
#include "index/rows/row_finder.h"
#include "index/rows/row_table.h"

namespace facegate {

// Reads what a finder found, among the rows that a snapshot has, whether it leaves them out or not.
// The snapshot must outlive it.
class FoundRowsReader {
 public:
  // Throws std::bad_alloc.
  explicit FoundRowsReader(const RowSnapshot& snapshot);

  // Offers those of the rows that the snapshot has.
  void Offer(const FoundRows& found, CandidateSelection& selection) const;

 private:
  const RowSnapshot& snapshot_;
  std::vector<std::pair<uint64_t, const RowSnapshot::Part*>> parts_;  // by serials, in their order
};

}  // namespace facegate
