#include "index/rows/search_pool.h"

#include <algorithm>
#include <chrono>
#include <exception>
#include <utility>

#include "face/base/catch.h"

namespace facegate {
namespace {

// So many products of values take less time than it takes to hand them over: a tenth of a
// millisecond.
constexpr size_t kWorthHandingOver = size_t{1} << 22;
constexpr std::chrono::milliseconds kAskEvery{2};
constexpr size_t kMergedAtOnce = 4096;
// Pieces after which a thread may go to another search: some milliseconds.
constexpr size_t kPiecesOfTurn = 8;

using Selections = std::vector<CandidateSelection>;

size_t ProductsOf(const ScanTask& task) {
  return task.snapshot.rows() * task.queries.size() *
         (task.queries.empty() ? 0 : task.queries.front().size());
}

std::vector<RowPiece> PiecesOf(const RowSnapshot& snapshot, size_t products_at_once,
                               size_t products_of_row) {
  const size_t rows =
      std::max(products_at_once / products_of_row / kPieceRows * kPieceRows, kPieceRows);
  std::vector<RowPiece> pieces;
  for (const RowSnapshot::Part& part : snapshot.parts()) {
    // A piece begins where codes do.
    for (size_t begin = part.begin / kPieceRows * kPieceRows; begin < part.end; begin += rows) {
      pieces.push_back({.segment = part.segment,
                        .begin = begin,
                        .end = std::min(part.end, begin + rows),
                        .snapshot = snapshot.number()});
    }
  }
  return pieces;
}

CandidateSelection SelectionFor(const ScanTask& task) {
  return CandidateSelection(task.search.k, task.search.least, task.search.groups.get());
}

Status NoMemory() { return Status(StatusCode::kResourceExhausted, "searching: out of memory"); }

// The candidates of one query from the selections of all threads.
StatusOr<std::vector<CandidateSelection::Candidate>> Merged(std::vector<CandidateSelection> parts,
                                                            size_t k, const StopCheck& stop) {
  if (parts.size() == 1) return parts.front().Take();
  CandidateSelection merged(k);
  size_t offered = 0;
  for (CandidateSelection& part : parts) {
    for (const CandidateSelection::Candidate& candidate : part.Take()) {
      if (offered++ % kMergedAtOnce == 0) FACEGATE_RETURN_IF_ERROR(Ask(stop));
      merged.Offer(candidate);
    }
  }
  return merged.Take();
}

}  // namespace

StatusOr<ScanOutcome> ScanHere(const ScanTask& task, const StopCheck& stop) {
  FACEGATE_RETURN_IF_ERROR(Ask(stop));
  const std::vector<std::span<const float>> queries(task.queries.begin(), task.queries.end());
  const std::unique_ptr<ScanQueries> prepared = task.scan->Prepare(queries);
  Selections selections(queries.size(), SelectionFor(task));
  for (const RowPiece& piece : PiecesOf(task.snapshot, task.scan->scanned_at_once(),
                                        queries.size() * queries.front().size())) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    prepared->Scan(piece, selections);
  }
  ScanOutcome found{.snapshot = task.snapshot, .candidates = {}};
  found.candidates.reserve(queries.size());
  for (CandidateSelection& selection : selections) found.candidates.push_back(selection.Take());
  return found;
}

// A task that a caller waits for.
struct SearchPool::Request {
  explicit Request(ScanTask wanted) : task(std::move(wanted)) {}

  const ScanTask task;
  std::atomic<bool> abandoned{false};  // nobody waits any more

  // These are guarded by the pool's mutex.
  CondVar changed;
  bool done = false;
  bool failed = false;
  std::shared_ptr<Batch> batch;  // when it is done: what it was scanned in
  size_t first_query = 0;        // of that
};

// What is scanned together: requests for one index.
struct SearchPool::Batch {
  Batch(std::vector<std::shared_ptr<Request>> taken, size_t threads)
      : scan(taken.front()->task.scan.get()), requests(std::move(taken)), selections(threads) {
    for (const auto& request : requests) {
      const ScanTask& task = request->task;
      request->first_query = queries.size();
      if (task.snapshot.number() > snapshot.number()) snapshot = task.snapshot;
      queries.insert(queries.end(), task.queries.begin(), task.queries.end());
      empty.insert(empty.end(), task.queries.size(), SelectionFor(task));
    }
    prepared = scan->Prepare(queries);
    pieces = PiecesOf(snapshot, scan->scanned_at_once(), queries.size() * queries.front().size());
  }

  bool HasWork() const {
    return !failed.load() && next.load() < pieces.size() &&
           std::any_of(requests.begin(), requests.end(), [](const auto& request) {
             return !request->abandoned.load(std::memory_order_relaxed);
           });
  }

  const RowScan* const scan;  // of all of them, one of which holds it until they are answered
  std::vector<std::shared_ptr<Request>> requests;
  RowSnapshot snapshot;  // the latest of theirs
  std::vector<std::span<const float>> queries;
  Selections empty;
  std::unique_ptr<ScanQueries> prepared;
  std::vector<RowPiece> pieces;
  std::atomic<size_t> next{0};
  std::atomic<bool> failed{false};
  // One for each thread, which alone uses it until all have left; empty if it was never here.
  std::vector<Selections> selections;
  size_t working = 0;  // threads; guarded by the pool's mutex
};

SearchPool::SearchPool(size_t threads) {
  try {
    threads_.reserve(threads);
    for (size_t i = 0; i < threads; ++i) threads_.emplace_back([this, i] { Work(i); });
  } catch (const std::exception&) {
    // Those that are there do all of it.
  }
}

SearchPool::~SearchPool() {
  {
    const MutexLock lock(mutex_);
    closed_ = true;
  }
  work_.NotifyAll();
  for (std::thread& thread : threads_) thread.join();
}

StatusOr<ScanOutcome> SearchPool::Scan(ScanTask task, const StopCheck& stop) {
  if (threads_.empty() || ProductsOf(task) < kWorthHandingOver) return ScanHere(task, stop);
  FACEGATE_RETURN_IF_ERROR(Ask(stop));
  const size_t k = task.search.k;
  const size_t queries = task.queries.size();
  const auto request = std::make_shared<Request>(std::move(task));
  FACEGATE_RETURN_IF_ERROR(Await(request, stop));
  ScanOutcome found{.snapshot = request->batch->snapshot, .candidates = {}};
  found.candidates.reserve(queries);
  for (size_t q = request->first_query; q < request->first_query + queries; ++q) {
    std::vector<CandidateSelection> parts;
    for (Selections& selections : request->batch->selections) {
      if (!selections.empty()) parts.push_back(std::move(selections[q]));
    }
    FACEGATE_ASSIGN_OR_RETURN(auto candidates, Merged(std::move(parts), k, stop));
    found.candidates.push_back(std::move(candidates));
  }
  return found;
}

Status SearchPool::Await(const std::shared_ptr<Request>& request, const StopCheck& stop) {
  Status wanted = OkStatus();
  {
    const MutexLock lock(mutex_);
    waiting_.push_back(request);
    someone_waits_.store(true);
  }
  work_.NotifyOne();
  for (;;) {
    {
      const MutexLock lock(mutex_);
      if (!wanted.ok()) {
        request->abandoned.store(true);
        std::erase(waiting_, request);
        someone_waits_.store(!waiting_.empty());
        return wanted;
      }
      if (!request->done) {
        request->changed.WaitUntil(mutex_, std::chrono::steady_clock::now() + kAskEvery);
      }
      if (request->done) return request->failed ? NoMemory() : OkStatus();
    }
    wanted = Ask(stop);
  }
}

void SearchPool::Work(size_t thread) {
  for (;;) {
    // What goes here may be the last of an index, and is not to go under the lock.
    std::list<std::shared_ptr<Batch>> dropped;
    std::vector<std::shared_ptr<Request>> answered;
    std::shared_ptr<Batch> batch;
    {
      const MutexLock lock(mutex_);
      DropAbandoned(dropped);
      batch = NextBatch();
      if (batch == nullptr && dropped.empty() && !closed_) {
        work_.Wait(mutex_);
        batch = NextBatch();
      }
      if (closed_) return;
      if (batch != nullptr) batch->working += 1;
    }
    if (batch == nullptr) continue;
    ScanSome(*batch, batch->selections[thread]);
    const MutexLock lock(mutex_);
    answered = Leave(batch);
  }
}

// All who waited for them have gone while they had no turn.
void SearchPool::DropAbandoned(std::list<std::shared_ptr<Batch>>& dropped) {
  for (auto next = batches_.begin(); next != batches_.end();) {
    const auto batch = next++;
    if ((*batch)->working == 0 && !(*batch)->HasWork()) {
      dropped.splice(dropped.end(), batches_, batch);
    }
  }
}

void SearchPool::ScanSome(Batch& batch, Selections& selections) {
  try {
    if (selections.empty()) selections = batch.empty;
    for (size_t pieces = 0; batch.HasWork(); ++pieces) {
      // So that a search among few rows does not wait for one among many.
      if (pieces >= kPiecesOfTurn && someone_waits_.load(std::memory_order_relaxed)) return;
      const size_t place = batch.next.fetch_add(1);
      if (place >= batch.pieces.size()) return;
      batch.prepared->Scan(batch.pieces[place], selections);
    }
  } catch (...) {
    batch.failed.store(true);
  }
}

bool SearchPool::IsScanned(const RowScan* scan) const {
  bool is_scanned = false;
  for (const auto& batch : batches_) is_scanned |= batch->scan == scan && batch->HasWork();
  return is_scanned;
}

// First what is for an index that nobody scans now; then where the fewest threads are at work.
std::shared_ptr<SearchPool::Batch> SearchPool::NextBatch() {
  for (size_t i = 0; i < waiting_.size();) {
    const std::shared_ptr<Request> request = waiting_[i];
    if (IsScanned(request->task.scan.get())) {
      i += 1;
      continue;
    }
    try {
      return TakeWaiting(request);
    } catch (...) {
      std::erase(waiting_, request);
      someone_waits_.store(!waiting_.empty());
      request->done = request->failed = true;
      request->changed.NotifyOne();
    }
  }
  std::shared_ptr<Batch> next;
  for (const auto& batch : batches_) {
    if (batch->HasWork() && (next == nullptr || batch->working < next->working)) next = batch;
  }
  return next;
}

std::shared_ptr<SearchPool::Batch> SearchPool::TakeWaiting(const std::shared_ptr<Request>& first) {
  std::vector<std::shared_ptr<Request>> taken{first};
  size_t queries = first->task.queries.size();
  for (const auto& request : waiting_) {
    const ScanTask& task = request->task;
    if (request == first || task.scan != first->task.scan) continue;
    // What the latest of their snapshots leaves out is what the others have looked through.
    if (task.snapshot.left_out() != first->task.snapshot.left_out()) continue;
    if (queries + task.queries.size() > ScanTask::kMostQueries) continue;
    queries += task.queries.size();
    taken.push_back(request);
  }
  auto batch = std::make_shared<Batch>(std::move(taken), threads_.size());
  batches_.push_back(batch);
  std::erase_if(waiting_, [&](const auto& request) {
    return std::find(batch->requests.begin(), batch->requests.end(), request) !=
           batch->requests.end();
  });
  someone_waits_.store(!waiting_.empty());
  const size_t helpers = std::min(batch->pieces.size(), threads_.size()) - 1;
  for (size_t i = 0; i < helpers; ++i) work_.NotifyOne();
  return batch;
}

// The last of its threads to leave a batch without work answers its requests.
std::vector<std::shared_ptr<SearchPool::Request>> SearchPool::Leave(
    const std::shared_ptr<Batch>& batch) {
  batch->working -= 1;
  if (batch->working > 0 || batch->HasWork()) return {};
  std::erase(batches_, batch);
  scans_.fetch_add(1);
  searches_.fetch_add(batch->requests.size());
  for (const auto& request : batch->requests) {
    request->batch = batch;
    request->failed = batch->failed.load();
    request->done = true;
    request->changed.NotifyOne();
  }
  return std::exchange(batch->requests, {});
}

}  // namespace facegate
