#include "index/rows/exact_index.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <cstring>
#include <system_error>
#include <thread>
#include <utility>

#include "face/base/catch.h"
#include "face/base/check.h"
#include "index/rows/candidate_selection.h"
#include "index/rows/code_scan.h"
#include "index/rows/flat_scan.h"
#include "index/rows/row_table.h"
#include "index/rows/score_bounds.h"
#include "index/rows/vector_code.h"

namespace facegate {
namespace {

// More than so many queries are taken in turns.
constexpr size_t kQueriesTogether = 64;
// A thread is started for so many products of values: about a millisecond.
constexpr size_t kWorthAThread = size_t{1} << 25;
constexpr size_t kRescoredAtOnce = 512;  // rows between two questions whether the search is wanted
// Where that many rows are left, they are looked at in float32 before they are scored.
constexpr size_t kManyCandidates = 16;

using Queries = std::span<const std::span<const float>>;
using Selections = std::vector<CandidateSelection>;
using Candidates = std::vector<CandidateSelection::Candidate>;

// The dot product in float32, in an order of its own.
float FloatDot(std::span<const float> a, std::span<const float> b) {
  typedef float Lanes __attribute__((vector_size(16)));
  constexpr size_t kLanes = 4;
  constexpr size_t kParts = 4;
  Lanes sums[kParts] = {};
  const size_t whole = a.size() / (kLanes * kParts) * (kLanes * kParts);
  for (size_t i = 0; i < whole; i += kLanes * kParts) {
#pragma GCC unroll 4
    for (size_t part = 0; part < kParts; ++part) {
      Lanes x;
      Lanes y;
      std::memcpy(&x, a.data() + i + part * kLanes, sizeof(x));
      std::memcpy(&y, b.data() + i + part * kLanes, sizeof(y));
      sums[part] += x * y;
    }
  }
  const Lanes lanes = (sums[0] + sums[1]) + (sums[2] + sums[3]);
  float sum = (lanes[0] + lanes[1]) + (lanes[2] + lanes[3]);
  for (size_t i = whole; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

// Rows that are looked at lie far apart.
void Prefetch(std::span<const float> vector) {
  constexpr size_t kLine = 64 / sizeof(float);
  for (size_t i = 0; i < vector.size(); i += kLine) __builtin_prefetch(vector.data() + i);
}

// Counts a search while it scans.
class InProgress {
 public:
  explicit InProgress(std::atomic<size_t>& searches)
      : counter_(searches), searches_(searches.fetch_add(1) + 1) {}
  ~InProgress() { counter_.fetch_sub(1); }
  InProgress(const InProgress&) = delete;
  InProgress& operator=(const InProgress&) = delete;
  // With this one, when it began.
  size_t searches() const { return searches_; }

 private:
  std::atomic<size_t>& counter_;
  const size_t searches_;
};

class ExactIndex final : public VectorIndex {
 public:
  ExactIndex(size_t dimension, const ExactIndexOptions& options)
      : threads_(std::max<size_t>(1, options.threads)), rows_(dimension) {
    const CodeKernel& kernel =
        options.kernel != nullptr ? *options.kernel : UsableCodeKernels().front();
    scan_ = options.use_faiss || dimension > kLargestCodedDimension ? MakeFlatScan(rows_)
                                                                    : MakeCodeScan(rows_, kernel);
  }

  bool TryReserve(size_t rows) override { return rows_.TryReserve(rows); }
  Status Reserve(size_t rows) override {
    return CatchToStatus("enlarging the index", [&]() -> Status {
      while (!rows_.TryReserve(rows)) AddSegment();
      return OkStatus();
    });
  }
  void Release(size_t rows) override { rows_.Release(rows); }

  Slot Add(uint64_t group, uint64_t template_id, std::span<const float> vector) override {
    const Slot slot = rows_.Add(group, template_id, vector);
    scan_->Added(slot, vector);
    return slot;
  }
  void SetGroup(Slot slot, uint64_t group) override { rows_.SetGroup(slot, group); }
  void Remove(Slot slot) override {
    rows_.Remove(slot);
    scan_->Removed(slot);
  }

  std::span<const float> Vector(Slot slot) const override { return rows_.Vector(slot); }
  size_t size() const override { return rows_.size(); }
  size_t dimension() const override { return rows_.dimension(); }
  SearchCounts counts() const override {
    return {.queries = queries_.load(), .scanned = scanned_.load(), .rescored = rescored_.load()};
  }

  using VectorIndex::Search;
  StatusOr<std::vector<std::vector<IndexMatch>>> Search(Queries queries, size_t k,
                                                        const StopCheck& stop) const override {
    for (const auto& query : queries) FACEGATE_CHECK(query.size() == dimension());
    if (k == 0) return std::vector<std::vector<IndexMatch>>(queries.size());
    return CatchToStatus("searching", [&]() -> StatusOr<std::vector<std::vector<IndexMatch>>> {
      std::vector<std::vector<IndexMatch>> answers;
      answers.reserve(queries.size());
      while (!queries.empty()) {
        const Queries some = queries.first(std::min(queries.size(), kQueriesTogether));
        FACEGATE_ASSIGN_OR_RETURN(Selections selections, SelectFor(some, k, stop));
        for (size_t i = 0; i < some.size(); ++i) {
          FACEGATE_ASSIGN_OR_RETURN(std::vector<IndexMatch> matches,
                                    Score(some[i], selections[i].Take(), k, stop));
          answers.push_back(BestOfEachGroup(std::move(matches), k));
        }
        queries = queries.subspan(some.size());
      }
      return answers;
    });
  }

 private:
  void AddSegment() {
    scan_->AddSegment(rows_.NextSegmentRows());
    try {
      rows_.AddSegment();
    } catch (...) {
      scan_->DropSegment();
      throw;
    }
  }

  // A search over all rows: what its threads share.
  struct Scanning {
    const ScanQueries& queries;
    std::vector<RowPiece> pieces;
    std::atomic<size_t> next{0};
    std::atomic<bool> ended{false};
  };

  StatusOr<Selections> SelectFor(Queries queries, size_t k, const StopCheck& stop) const {
    const std::unique_ptr<ScanQueries> prepared = scan_->Prepare(queries);
    Scanning scanning{.queries = *prepared, .pieces = PiecesFor(queries.size())};
    size_t rows = 0;
    for (const RowPiece& piece : scanning.pieces) rows += piece.end - piece.begin;
    const size_t worth = rows * queries.size() * dimension() / kWorthAThread;
    const InProgress in_progress(searches_);
    const size_t share = std::max<size_t>(1, threads_ / in_progress.searches());
    const size_t threads = std::clamp<size_t>(worth, 1, share);
    std::vector<Selections> selections(threads, Selections(queries.size(), CandidateSelection(k)));
    FACEGATE_RETURN_IF_ERROR(ScanTogether(scanning, selections, stop));
    queries_.fetch_add(queries.size());
    scanned_.fetch_add(rows * queries.size());
    for (size_t thread = 1; thread < threads; ++thread) {
      for (size_t i = 0; i < queries.size(); ++i) {
        for (const auto& candidate : selections[thread][i].Take()) {
          selections.front()[i].Offer(candidate);
        }
      }
    }
    return std::move(selections.front());
  }

  std::vector<RowPiece> PiecesFor(size_t queries) const {
    const size_t wanted = scan_->scanned_at_once() / (dimension() * queries);
    const size_t rows = std::max(wanted / kPieceRows * kPieceRows, kPieceRows);
    std::vector<RowPiece> pieces;
    for (size_t segment = 0; segment < rows_.segments(); ++segment) {
      const size_t end = rows_.RowsOf(segment);
      for (size_t begin = 0; begin < end; begin += rows) {
        pieces.push_back({.segment = segment, .begin = begin, .end = std::min(end, begin + rows)});
      }
    }
    return pieces;
  }

  // One thread for each of `selections`, of which this is the first. It alone asks `stop`.
  Status ScanTogether(Scanning& scanning, std::vector<Selections>& selections,
                      const StopCheck& stop) const {
    std::vector<Status> outcomes(selections.size(), OkStatus());
    {
      std::vector<std::jthread> helpers;
      helpers.reserve(selections.size());
      try {
        for (size_t i = 1; i < selections.size(); ++i) {
          helpers.emplace_back(
              [&, i] { outcomes[i] = ScanPieces(scanning, selections[i], StopCheck()); });
        }
      } catch (const std::system_error&) {
        // There are no more threads to be had; those that are there do all of it.
      }
      outcomes[0] = ScanPieces(scanning, selections[0], stop);
    }
    for (Status& outcome : outcomes) FACEGATE_RETURN_IF_ERROR(std::move(outcome));
    return OkStatus();
  }

  static Status ScanPieces(Scanning& scanning, Selections& selections, const StopCheck& stop) {
    Status outcome = CatchToStatus("searching", [&]() -> Status {
      while (!scanning.ended.load()) {
        const size_t place = scanning.next.fetch_add(1);
        if (place >= scanning.pieces.size()) break;
        FACEGATE_RETURN_IF_ERROR(Ask(stop));
        scanning.queries.Scan(scanning.pieces[place], selections);
      }
      return OkStatus();
    });
    if (!outcome.ok()) scanning.ended.store(true);
    return outcome;
  }

  StatusOr<std::vector<IndexMatch>> Score(std::span<const float> query, Candidates candidates,
                                          size_t k, const StopCheck& stop) const {
    if (candidates.size() > kManyCandidates) {
      FACEGATE_ASSIGN_OR_RETURN(candidates, Narrowed(query, std::move(candidates), k, stop));
    }
    std::vector<IndexMatch> matches;
    matches.reserve(candidates.size());
    for (const CandidateSelection::Candidate& candidate : candidates) {
      if (matches.size() % kRescoredAtOnce == 0) FACEGATE_RETURN_IF_ERROR(Ask(stop));
      matches.push_back({.group = candidate.group,
                         .template_id = candidate.template_id,
                         .cosine = CosineScore(query, Vector(candidate.slot))});
    }
    rescored_.fetch_add(matches.size());
    return matches;
  }

  // Those of the candidates that can still be in the answer when they are compared in float32. The
  // most promising come first, so that the others need not be looked at.
  StatusOr<Candidates> Narrowed(std::span<const float> query, Candidates candidates, size_t k,
                                const StopCheck& stop) const {
    CandidateSelection selection(k);
    const double error = FloatDotErrorBound(dimension());
    const auto first = static_cast<std::ptrdiff_t>(std::min(k, candidates.size()));
    std::nth_element(candidates.begin(), candidates.begin() + first, candidates.end(),
                     [](const auto& a, const auto& b) { return a.upper > b.upper; });
    for (size_t i = 0; i < candidates.size(); ++i) {
      if (i % kRescoredAtOnce == 0) FACEGATE_RETURN_IF_ERROR(Ask(stop));
      CandidateSelection::Candidate& candidate = candidates[i];
      if (candidate.upper < selection.floor()) continue;
      if (i + 1 < candidates.size()) Prefetch(Vector(candidates[i + 1].slot));
      // Of a vector that is no unit vector nothing is known.
      if (std::isfinite(candidate.upper)) {
        const auto score = static_cast<double>(FloatDot(query, Vector(candidate.slot)));
        candidate.lower = std::max(candidate.lower, score - error);
        candidate.upper = std::min(candidate.upper, score + error);
      }
      selection.Offer(candidate);
    }
    return selection.Take();
  }

  const size_t threads_;
  RowTable rows_;
  std::unique_ptr<RowScan> scan_;
  mutable std::atomic<size_t> searches_{0};  // that scan now
  mutable std::atomic<uint64_t> queries_{0};
  mutable std::atomic<uint64_t> scanned_{0};
  mutable std::atomic<uint64_t> rescored_{0};
};

}  // namespace

std::unique_ptr<VectorIndex> MakeExactIndex(size_t dimension, const ExactIndexOptions& options) {
  return std::make_unique<ExactIndex>(dimension, options);
}

}  // namespace facegate
