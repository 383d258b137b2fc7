#include "index/rows/exact_index.h"

#include <algorithm>
#include <atomic>
#include <cmath>
#include <limits>
#include <utility>

#include "face/base/catch.h"
#include "face/base/check.h"
#include "index/rows/candidate_selection.h"
#include "index/rows/code_scan.h"
#include "index/rows/flat_scan.h"
#include "index/rows/float_dot.h"
#include "index/rows/found_rows_reader.h"
#include "index/rows/row_table.h"
#include "index/rows/score_bounds.h"
#include "index/rows/vector_code.h"

namespace facegate {
namespace {

constexpr size_t kRescoredAtOnce = 512;  // rows between two questions whether the search is wanted
// Where that many rows are left, they are looked at in float32 before they are scored.
constexpr size_t kManyCandidates = 16;
constexpr double kBeyondScores = 1e6;  // no score is so high, and a float can hold it
// A finder is asked for at least so many rows, and for so many for each group that is wanted.
constexpr size_t kLeastWanted = 64;
constexpr size_t kWantedOfGroup = 4;

using Queries = std::span<const std::span<const float>>;
using Candidates = std::vector<CandidateSelection::Candidate>;
using Answers = std::vector<std::vector<IndexMatch>>;

// Rows that are looked at lie far apart.
void Prefetch(std::span<const float> vector) {
  constexpr size_t kLine = 64 / sizeof(float);
  for (size_t i = 0; i < vector.size(); i += kLine) __builtin_prefetch(vector.data() + i);
}

// What an index shares with its views, which may outlive it.
struct Searching {
  Searching(size_t length, const ExactIndexOptions& options)
      : dimension(length), pool(options.pool) {
    const CodeKernel& kernel =
        options.kernel != nullptr ? *options.kernel : UsableCodeKernels().front();
    if (options.use_faiss || length > kLargestCodedDimension) {
      scan = MakeFlatScan(length);
    } else {
      scan = MakeCodeScan(length, kernel);
    }
  }

  const size_t dimension;
  std::shared_ptr<const RowScan> scan;
  const std::shared_ptr<SearchPool> pool;
  std::atomic<uint64_t> queries{0};
  std::atomic<uint64_t> scanned{0};
  std::atomic<uint64_t> rescored{0};
  std::atomic<uint64_t> found{0};
};

class ExactView final : public IndexView {
 public:
  ExactView(std::shared_ptr<Searching> searching, std::shared_ptr<RowFinder> finder,
            RowSnapshot snapshot)
      : searching_(std::move(searching)),
        finder_(std::move(finder)),
        snapshot_(std::move(snapshot)) {}

  StatusOr<Answers> Search(Queries queries, const RowSearch& search,
                           const StopCheck& stop) const override {
    for (const auto& query : queries) FACEGATE_CHECK(query.size() == searching_->dimension);
    if (search.k == 0 || queries.empty()) return Answers(queries.size());
    return CatchToStatus("searching", [&]() -> StatusOr<Answers> {
      Answers answers;
      answers.reserve(queries.size());
      Queries left = queries;
      while (!left.empty()) {
        const Queries some = left.first(std::min(left.size(), ScanTask::kMostQueries));
        FACEGATE_RETURN_IF_ERROR(AnswerSome(some, search, stop, answers));
        left = left.subspan(some.size());
      }
      return answers;
    });
  }

 private:
  // What can be in the answers to some queries, and what holds these rows until they are scored.
  struct Rough {
    std::vector<std::optional<Candidates>> candidates;
    std::vector<RowSnapshot> held;
  };

  Status AnswerSome(Queries queries, const RowSearch& search, const StopCheck& stop,
                    Answers& answers) const {
    Rough rough{.candidates = std::vector<std::optional<Candidates>>(queries.size()), .held = {}};
    if (finder_ != nullptr) FACEGATE_RETURN_IF_ERROR(Find(queries, search, stop, rough));
    FACEGATE_RETURN_IF_ERROR(ScanTheOthers(queries, search, stop, rough));
    searching_->queries.fetch_add(queries.size());
    searching_->scanned.fetch_add(snapshot_.rows() * queries.size());
    for (size_t i = 0; i < queries.size(); ++i) {
      FACEGATE_ASSIGN_OR_RETURN(std::vector<IndexMatch> matches,
                                Score(queries[i], *std::move(rough.candidates[i]), search, stop));
      answers.push_back(BestOfEachGroup(std::move(matches), search.k));
    }
    return OkStatus();
  }

  StatusOr<ScanOutcome> Scan(RowSnapshot snapshot, Queries queries, const RowSearch& search,
                             const StopCheck& stop) const {
    ScanTask task{
        .scan = searching_->scan, .snapshot = std::move(snapshot), .queries = {}, .search = search};
    task.search.least = std::min(search.least, kBeyondScores);
    for (const auto& query : queries) task.queries.emplace_back(query.begin(), query.end());
    return searching_->pool == nullptr ? ScanHere(task, stop)
                                       : searching_->pool->Scan(std::move(task), stop);
  }

  // Numbers of the queries that have no candidates yet, and these queries.
  static std::pair<std::vector<size_t>, std::vector<std::span<const float>>> Left(
      Queries queries, const Rough& rough) {
    std::pair<std::vector<size_t>, std::vector<std::span<const float>>> left;
    for (size_t i = 0; i < queries.size(); ++i) {
      if (rough.candidates[i].has_value()) continue;
      left.first.push_back(i);
      left.second.push_back(queries[i]);
    }
    return left;
  }

  Status ScanTheOthers(Queries queries, const RowSearch& search, const StopCheck& stop,
                       Rough& rough) const {
    const auto [numbers, left] = Left(queries, rough);
    if (left.empty()) return OkStatus();
    FACEGATE_ASSIGN_OR_RETURN(ScanOutcome found, Scan(snapshot_, left, search, stop));
    rough.held.push_back(std::move(found.snapshot));
    for (size_t i = 0; i < left.size(); ++i) {
      rough.candidates[numbers[i]] = std::move(found.candidates[i]);
    }
    return OkStatus();
  }

  // Asks the finder for few rows of each query, and where these prove nothing, for many. What that
  // does not answer either is left.
  Status Find(Queries queries, const RowSearch& search, const StopCheck& stop, Rough& rough) const {
    if (search.exact && finder_->is_approximate()) return OkStatus();
    // Of rows of few groups a finder finds too few.
    if (search.groups != nullptr || search.k > finder_->most() / kWantedOfGroup) return OkStatus();
    // Where it looks through little, all is scanned at once.
    if (finder_->state().rows < snapshot_.rows() / 2) {
      finder_->Follow(snapshot_);
      return OkStatus();
    }
    const size_t few = std::max(kLeastWanted, kWantedOfGroup * search.k);
    if (few < finder_->most()) {
      FACEGATE_ASSIGN_OR_RETURN(const bool goes_on, FindRows(few, queries, search, stop, rough));
      if (!goes_on) return OkStatus();
    }
    return FindRows(finder_->most(), queries, search, stop, rough).status();
  }

  // Asks for `wanted` rows of each query that has no candidates yet. False when it is of no use to
  // ask for more.
  StatusOr<bool> FindRows(size_t wanted, Queries queries, const RowSearch& search,
                          const StopCheck& stop, Rough& rough) const {
    const auto [numbers, left] = Left(queries, rough);
    if (left.empty()) return false;
    FACEGATE_ASSIGN_OR_RETURN(const Finding finding, finder_->Find(left, wanted, stop));
    RowSnapshot rest = snapshot_.Without(finding.coverage);
    if (rest.rows() > 0) finder_->Follow(snapshot_);
    if (rest.rows() > snapshot_.rows() / 2) return false;
    std::vector<Candidates> others(left.size());
    if (rest.rows() > 0) {
      FACEGATE_ASSIGN_OR_RETURN(ScanOutcome scanned, Scan(std::move(rest), left, search, stop));
      rest = std::move(scanned.snapshot);  // maybe that of a later search
      others = std::move(scanned.candidates);
    }
    const FoundRowsReader reader(rest);
    for (size_t i = 0; i < left.size(); ++i) {
      FACEGATE_RETURN_IF_ERROR(Ask(stop));
      const FoundRows& found = finding.queries[i];
      CandidateSelection selection(search.k, search.least);
      reader.Offer(found, selection);
      for (const auto& candidate : others[i]) selection.Offer(candidate);
      if (!IsAnswered(found, selection)) continue;
      rough.candidates[numbers[i]] = selection.Take();
      searching_->found.fetch_add(1);
    }
    rough.held.push_back(std::move(rest));
    return true;
  }

  // Nothing that was not found can be in the answer; of an approximate finder, as far as it goes:
  // it is taken to have found all that is above the lowest that it gives.
  bool IsAnswered(const FoundRows& found, const CandidateSelection& selection) const {
    constexpr double kInfinity = std::numeric_limits<double>::infinity();
    double beyond = found.beyond;
    if (finder_->is_approximate()) {
      beyond = kInfinity;
      for (const FoundRows::Row& row : found.rows) {
        beyond = std::min(beyond, static_cast<double>(row.score) + found.error);
      }
    }
    return beyond < selection.floor() || beyond == -kInfinity;
  }

  std::span<const float> VectorOf(const CandidateSelection::Candidate& candidate) const {
    return {candidate.vector, searching_->dimension};
  }

  StatusOr<std::vector<IndexMatch>> Score(std::span<const float> query, Candidates candidates,
                                          const RowSearch& search, const StopCheck& stop) const {
    // Fewer than that are all in the answer, or almost.
    if (candidates.size() > std::max(search.k, kManyCandidates)) {
      FACEGATE_ASSIGN_OR_RETURN(candidates, Narrowed(query, std::move(candidates), search, stop));
    }
    std::vector<IndexMatch> matches;
    matches.reserve(candidates.size());
    for (const CandidateSelection::Candidate& candidate : candidates) {
      if (matches.size() % kRescoredAtOnce == 0) FACEGATE_RETURN_IF_ERROR(Ask(stop));
      matches.push_back({.group = candidate.group,
                         .template_id = candidate.template_id,
                         .cosine = CosineScore(query, VectorOf(candidate))});
    }
    searching_->rescored.fetch_add(matches.size());
    if (std::isfinite(search.least)) {
      std::erase_if(matches, [&](const IndexMatch& match) {
        return !(static_cast<double>(match.cosine) >= search.least);
      });
    }
    return matches;
  }

  // Those of the candidates that can still be in the answer when they are compared in float32. The
  // most promising come first, so that the others need not be looked at.
  StatusOr<Candidates> Narrowed(std::span<const float> query, Candidates candidates,
                                const RowSearch& search, const StopCheck& stop) const {
    CandidateSelection selection(search.k, search.least);
    const double error = FloatDotErrorBound(searching_->dimension);
    const auto first = static_cast<std::ptrdiff_t>(std::min(search.k, candidates.size()));
    std::nth_element(candidates.begin(), candidates.begin() + first, candidates.end(),
                     [](const auto& a, const auto& b) { return a.upper > b.upper; });
    for (size_t i = 0; i < candidates.size(); ++i) {
      if (i % kRescoredAtOnce == 0) FACEGATE_RETURN_IF_ERROR(Ask(stop));
      CandidateSelection::Candidate& candidate = candidates[i];
      if (candidate.upper < selection.floor()) continue;
      if (i + 1 < candidates.size()) Prefetch(VectorOf(candidates[i + 1]));
      // Of a vector that is no unit vector nothing is known.
      if (std::isfinite(candidate.upper)) {
        const auto score = static_cast<double>(FloatDot(query, VectorOf(candidate)));
        candidate.lower = std::max(candidate.lower, score - error);
        candidate.upper = std::min(candidate.upper, score + error);
      }
      selection.Offer(candidate);
    }
    return selection.Take();
  }

  const std::shared_ptr<Searching> searching_;
  const std::shared_ptr<RowFinder> finder_;  // may be null
  const RowSnapshot snapshot_;
};

class TableMove final : public VectorIndex::RowMove {
 public:
  TableMove(const RowTable& rows, RowTable::Move move) : rows_(rows), move_(std::move(move)) {}

  Status Copy() override {
    return CatchToStatus("moving rows", [&] {
      rows_.Copy(move_);
      return OkStatus();
    });
  }
  const std::vector<VectorIndex::Slot>& moved() const override { return move_.moved(); }
  RowTable::Move& move() { return move_; }

 private:
  const RowTable& rows_;
  RowTable::Move move_;
};

class ExactIndex final : public VectorIndex {
 public:
  ExactIndex(size_t dimension, const ExactIndexOptions& options)
      : searching_(std::make_shared<Searching>(dimension, options)),
        rows_(dimension, *searching_->scan) {}

  bool TryReserve(size_t rows) override { return rows_.TryReserve(rows); }
  Status Reserve(size_t rows) override {
    return CatchToStatus("enlarging the index", [&]() -> Status {
      while (!rows_.TryReserve(rows)) rows_.AddSegment();
      return OkStatus();
    });
  }
  void Release(size_t rows) override { rows_.Release(rows); }

  Slot Add(uint64_t group, uint64_t template_id, std::span<const float> vector) override {
    return rows_.Add(group, template_id, vector);
  }
  void SetGroup(Slot slot, uint64_t group) override { rows_.SetGroup(slot, group); }
  void Remove(Slot slot) override { rows_.Remove(slot); }

  std::span<const float> Vector(Slot slot) const override { return rows_.Vector(slot); }
  std::optional<RowLabel> LabelOf(Slot slot) const override { return rows_.LabelOf(slot); }
  size_t size() const override { return rows_.size(); }
  size_t dimension() const override { return rows_.dimension(); }
  size_t removed() const override { return rows_.removed(); }

  StatusOr<std::unique_ptr<RowMove>> BeginMove(double least_removed,
                                               uint64_t removed_until) override {
    return CatchToStatus("moving rows", [&]() -> StatusOr<std::unique_ptr<RowMove>> {
      std::optional<RowTable::Move> move = rows_.BeginMove(least_removed, removed_until);
      if (!move.has_value()) {
        // What has moved is to be forgotten there as well, even if nobody searches.
        if (finder_ != nullptr) finder_->Follow(rows_.Snapshot());
        return std::unique_ptr<RowMove>();
      }
      return std::make_unique<TableMove>(rows_, *std::move(move));
    });
  }
  Status TakeOver(RowMove& move) override {
    return CatchToStatus("moving rows", [&] {
      rows_.TakeOver(static_cast<TableMove&>(move).move());
      return OkStatus();
    });
  }
  void EndMove(RowMove& move) override { rows_.EndMove(static_cast<TableMove&>(move).move()); }

  Status SetFinder(std::shared_ptr<RowFinder> finder) override {
    return CatchToStatus("searching", [&] {
      if (finder != nullptr) finder->Follow(rows_.Snapshot());
      finder_ = std::move(finder);
      return OkStatus();
    });
  }
  std::shared_ptr<RowFinder> finder() const override { return finder_; }

  StatusOr<std::unique_ptr<IndexView>> View() const override {
    return CatchToStatus("searching", [&]() -> StatusOr<std::unique_ptr<IndexView>> {
      return std::make_unique<ExactView>(searching_, finder_, rows_.Snapshot());
    });
  }
  SearchCounts counts() const override {
    return {.queries = searching_->queries.load(),
            .scanned = searching_->scanned.load(),
            .rescored = searching_->rescored.load(),
            .found = searching_->found.load()};
  }

 private:
  const std::shared_ptr<Searching> searching_;
  RowTable rows_;
  std::shared_ptr<RowFinder> finder_;
};

}  // namespace

std::unique_ptr<VectorIndex> MakeExactIndex(size_t dimension, const ExactIndexOptions& options) {
  return std::make_unique<ExactIndex>(dimension, options);
}

}  // namespace facegate
