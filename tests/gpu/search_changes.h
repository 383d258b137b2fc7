#pragma once

#include <cstddef>
#include <cstdint>
#include <span>

#include "face/base/status.h"
#include "index/rows/vector_index.h"
#include "tests/gpu/face_rows.h"

namespace facegate {

struct SearchChanges {
  uint64_t searches = 0;
  uint64_t changes = 0;  // rows that were added or removed
  double p50_ms = 0.0;   // of a search
  double p99_ms = 0.0;
  uint64_t wrong = 0;  // searches that gave a row which had been removed before
};

// Searches in four threads, by faces of people whose rows are being removed and others, while
// thousands of rows are added and removed. `index` has the first rows of `faces`: row n has the
// template id n + 1, and is in slots[n].
StatusOr<SearchChanges> SearchWhileItChanges(VectorIndex& index, const FaceRows& faces,
                                             std::span<const VectorIndex::Slot> slots,
                                             double seconds);

}  // namespace facegate
