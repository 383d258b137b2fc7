#pragma once

#include <atomic>
#include <cstddef>
#include <deque>
#include <list>
#include <memory>
#include <span>
#include <thread>
#include <vector>

#include "face/base/mutex.h"
#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "index/rows/candidate_selection.h"
#include "index/rows/row_scan.h"
#include "index/rows/row_table.h"

namespace facegate {

// The rows that can be in the answer to each query of a search, and the snapshot that they are of,
// which holds them.
struct ScanOutcome {
  RowSnapshot snapshot;
  std::vector<std::vector<CandidateSelection::Candidate>> candidates;
};

// A search over the rows of one index.
struct ScanTask {
  static constexpr size_t kMostQueries = 64;

  std::shared_ptr<const RowScan> scan;  // that of the index
  RowSnapshot snapshot;
  std::vector<std::vector<float>> queries;  // 1 to kMostQueries
  RowSearch search;                         // k is at least 1
};

// The rows of a task, piece by piece on the calling thread.
StatusOr<ScanOutcome> ScanHere(const ScanTask& task, const StopCheck& stop);

// Threads that scan rows for all searches of a gallery: all of them work on one search, as far as
// it has work for them, and searches of one index that wait at the same time are scanned together,
// which reads the rows once for all of them. Searches of several indexes take turns. Thread-safe.
class SearchPool {
 public:
  // At most `threads`; fewer where the system has no more.
  explicit SearchPool(size_t threads);
  // No search may be at work.
  ~SearchPool();
  SearchPool(const SearchPool&) = delete;
  SearchPool& operator=(const SearchPool&) = delete;

  // Where there are no threads, or so little work that handing it over would take longer, the
  // calling thread scans. It asks `stop` every 2 ms while it waits. The snapshot may be that
  // of a later search.
  StatusOr<ScanOutcome> Scan(ScanTask task, const StopCheck& stop);

  // How many scans the threads made, and of how many searches.
  struct Counts {
    uint64_t scans = 0;
    uint64_t searches = 0;
  };
  Counts counts() const { return {.scans = scans_.load(), .searches = searches_.load()}; }

 private:
  struct Request;
  struct Batch;

  using Selections = std::vector<CandidateSelection>;

  Status Await(const std::shared_ptr<Request>& request, const StopCheck& stop);
  void Work(size_t thread);
  void ScanSome(Batch& batch, Selections& selections);
  bool IsScanned(const RowScan* scan) const FACEGATE_REQUIRES(mutex_);
  // A batch with work, or one made of what waits; null when there is none.
  std::shared_ptr<Batch> NextBatch() FACEGATE_REQUIRES(mutex_);
  // A batch of `first` and what waits for the same index.
  std::shared_ptr<Batch> TakeWaiting(const std::shared_ptr<Request>& first)
      FACEGATE_REQUIRES(mutex_);
  // Takes no memory: the threads have nobody to tell that there is none.
  void DropAbandoned(std::list<std::shared_ptr<Batch>>& dropped) FACEGATE_REQUIRES(mutex_);
  // Returns the requests that it answered.
  std::vector<std::shared_ptr<Request>> Leave(const std::shared_ptr<Batch>& batch)
      FACEGATE_REQUIRES(mutex_);

  mutable Mutex mutex_;
  CondVar work_;
  std::deque<std::shared_ptr<Request>> waiting_ FACEGATE_GUARDED_BY(mutex_);
  std::list<std::shared_ptr<Batch>> batches_ FACEGATE_GUARDED_BY(mutex_);  // being scanned
  bool closed_ FACEGATE_GUARDED_BY(mutex_) = false;
  std::atomic<bool> someone_waits_{false};  // as waiting_ says

  std::atomic<uint64_t> scans_{0};
  std::atomic<uint64_t> searches_{0};

  std::vector<std::thread> threads_;
};

}  // namespace facegate
