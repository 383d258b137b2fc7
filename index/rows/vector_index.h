#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>
#include <vector>

#include "face/base/embedding.h"
#include "face/base/status.h"
#include "face/base/stop_check.h"

namespace facegate {

// The best row of one group.
struct IndexMatch {
  uint64_t group = 0;
  uint64_t template_id = 0;
  float cosine = 0.0f;  // CosineScore()
  bool operator==(const IndexMatch&) const = default;
};

// What searches have done so far.
struct SearchCounts {
  uint64_t queries = 0;
  uint64_t scanned = 0;   // rows, summed over the queries
  uint64_t rescored = 0;  // of these, the rows that CosineScore() scored
};

// Unit vectors of one length, each with a template id and the group (identity) that it belongs to,
// and the exact search among them. A cache: what is in it came from the store.
//
// Threads: const calls may run together; any other call must run alone. TryReserve() and Release()
// may run beside const calls.
//
// An enrolment must not fail after the store has taken it, so room is set aside before: every Add()
// uses up one row of an earlier TryReserve() or Reserve(), and cannot fail.
class VectorIndex {
 public:
  // The place of a row; stays the same until the row is removed.
  struct Slot {
    uint32_t segment = 0;
    uint32_t row = 0;
    bool operator==(const Slot&) const = default;
  };

  virtual ~VectorIndex() = default;

  // Sets `rows` aside in the memory that is there; false when that is too little.
  virtual bool TryReserve(size_t rows) = 0;
  // Sets `rows` aside, taking new memory for them. kResourceExhausted when there is none.
  virtual Status Reserve(size_t rows) = 0;
  // Gives back what was set aside and not used.
  virtual void Release(size_t rows) = 0;

  // `template_id` is not 0; `vector` has dimension() values.
  virtual Slot Add(uint64_t group, uint64_t template_id, std::span<const float> vector) = 0;
  // The row belongs to another group from now on.
  virtual void SetGroup(Slot slot, uint64_t group) = 0;
  // Overwrites the vector with zeros; its place is used again.
  virtual void Remove(Slot slot) = 0;

  virtual std::span<const float> Vector(Slot slot) const = 0;
  virtual size_t size() const = 0;
  virtual size_t dimension() const = 0;

  // For each query the `k` groups with the highest CosineScore(), best first, each once with its
  // best row; ties (between groups, and between the rows of one) go to the lower template id. Fewer
  // when there are fewer groups. Equal to a full scan, bit for bit. A query has dimension() values.
  // Queries that come together share the reading of the rows. When `stop` is not OK, that is the
  // answer.
  virtual StatusOr<std::vector<std::vector<IndexMatch>>> Search(
      std::span<const std::span<const float>> queries, size_t k,
      const StopCheck& stop = {}) const = 0;
  StatusOr<std::vector<IndexMatch>> Search(std::span<const float> query, size_t k,
                                           const StopCheck& stop = {}) const {
    auto found = Search(std::span(&query, 1), k, stop);
    if (!found.ok()) return found.status();
    return std::move(found->front());
  }

  virtual SearchCounts counts() const = 0;
};

}  // namespace facegate
