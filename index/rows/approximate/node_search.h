#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "face/base/status.h"
#include "face/base/stop_check.h"

namespace facegate {

// A row that an approximate finder has taken in. The vector is the one in its segment; null when
// the row is no more.
struct RowNode {
  const float* vector = nullptr;
  uint64_t segment = 0;  // Segment::serial()
  uint32_t row = 0;
};
using RowNodes = std::vector<RowNode>;

struct NodeScore {
  uint32_t node = 0;
  float score = 0.0f;  // FloatDot()
};

// A search looks as hard as a number below this says.
inline constexpr size_t kEfforts = 5;

// Finds nodes with high scores among all, looking at few. Immutable and thread-safe. It keeps no
// vector: what it is asked with are the nodes that it was built of, some of which may have another
// place since, or none.
class NodeSearch {
 public:
  virtual ~NodeSearch() = default;

  // The `wanted` best that it comes by (or more, or fewer) in no order, none without a row. What
  // `stop` says when it says so. Throws std::bad_alloc.
  virtual StatusOr<std::vector<NodeScore>> Search(const RowNodes& nodes,
                                                  std::span<const float> query, size_t wanted,
                                                  size_t effort, const StopCheck& stop) const = 0;

  // What is to be searched from now on because nodes have no row any more; null where nothing in it
  // came from their vectors. Throws std::bad_alloc.
  virtual std::shared_ptr<const NodeSearch> Without(const RowNodes& nodes,
                                                    std::span<const uint32_t> gone) const = 0;
};

// A graph of neighbours, and lists of what is nearest to one of many centres. To build one takes
// long; `between` is asked every few milliseconds, by the thread that calls. While it is asked
// nobody reads the nodes: vectors may move or go, but no node may come. Throws what FAISS throws.
StatusOr<std::shared_ptr<const NodeSearch>> BuildGraph(const RowNodes& nodes, size_t dimension,
                                                       const StopCheck& between);
StatusOr<std::shared_ptr<const NodeSearch>> BuildLists(const RowNodes& nodes, size_t dimension,
                                                       const StopCheck& between);

}  // namespace facegate
