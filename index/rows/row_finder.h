#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <memory>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "face/base/status.h"
#include "face/base/stop_check.h"

namespace facegate {

class RowSnapshot;

// Rows of an index: of each segment, by its serial, those before a number. Immutable.
class Coverage {
 public:
  struct Part {
    uint64_t segment = 0;  // Segment::serial()
    size_t rows = 0;       // from its first one on
  };

  // Of each segment one part at most.
  explicit Coverage(std::vector<Part> parts);

  // 0 where it has none of the segment.
  size_t RowsOf(uint64_t segment) const;
  size_t rows() const { return rows_; }  // of all segments
  const std::vector<Part>& parts() const { return parts_; }

 private:
  std::vector<Part> parts_;  // in ascending order of segments
  size_t rows_ = 0;
};

// What a finder found for one query.
struct FoundRows {
  struct Row {
    uint64_t segment = 0;  // Segment::serial()
    uint32_t row = 0;
    float score = 0.0f;
  };
  std::vector<Row> rows;
  // No other row that was looked through has a CosineScore() above this.
  double beyond = -std::numeric_limits<double>::infinity();
  // Scores are off CosineScore() by this at most; infinite where nothing is known.
  double error = std::numeric_limits<double>::infinity();
};

struct Finding {
  // What was looked through; never null.
  std::shared_ptr<const Coverage> coverage;
  std::vector<FoundRows> queries;  // one for each query
};

// How a finder does.
struct FinderState {
  size_t rows = 0;  // that it looks through; more may be removed than the index knows of
  // Of an approximate one: how many of the 10 best rows it finds, measured on rows of the index
  // itself; absent before it was measured.
  std::optional<double> recall{};
};

// Something that looks through rows of an index faster than a scan does, and says which those were:
// the others are scanned. What it has follows the index in the background. Thread-safe.
class RowFinder {
 public:
  virtual ~RowFinder() = default;

  // The `wanted` rows (or fewer) with the highest scores of each query among those that it looks
  // through, some of which may have been removed. `wanted` is 1 to most(), and `queries` 1 to
  // ScanTask::kMostQueries. What `stop` says when it says so; a finder that cannot look looks
  // through nothing.
  virtual StatusOr<Finding> Find(std::span<const std::span<const float>> queries, size_t wanted,
                                 const StopCheck& stop) = 0;
  virtual size_t most() const = 0;

  // Tells that the index is like this now; what follows from that follows later. Takes no time and
  // never fails: what it cannot remember it hears again from a later search.
  virtual void Follow(const RowSnapshot& snapshot) noexcept = 0;

  // True where the best rows may be missing from what Find() gives; else `beyond` and `error` prove
  // that nothing is.
  virtual bool is_approximate() const = 0;
  virtual FinderState state() const = 0;
};

}  // namespace facegate
