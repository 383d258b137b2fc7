#include "index/rows/approximate/approximate_finder.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <new>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "face/base/catch.h"
#include "face/base/log.h"
#include "face/base/mutex.h"
#include "index/rows/approximate/background_threads.h"
#include "index/rows/approximate/recall.h"
#include "index/rows/approximate/taken_rows.h"
#include "index/rows/score_bounds.h"

namespace facegate {
namespace {

constexpr size_t kMostWanted = 1024;
constexpr size_t kMostParts = 4;
// Rows are taken in when they are one for so many that are covered, and a part is made anew when
// one of so many of its nodes has no row. Recall is measured again after one of so many.
constexpr size_t kShareOfCovered = 8;
constexpr size_t kShareGone = 4;
constexpr size_t kShareUnmeasured = 16;

using Clock = std::chrono::steady_clock;
using Queries = std::span<const std::span<const float>>;
using Taken = std::shared_ptr<const TakenRows>;

class ApproximateFinder final : public RowFinder,
                                public Follower,
                                public std::enable_shared_from_this<ApproximateFinder> {
 public:
  ApproximateFinder(ApproximateKind kind, size_t dimension,
                    const std::shared_ptr<FollowThread>& thread, const ApproximateOptions& options)
      : kind_(kind),
        dimension_(dimension),
        least_rows_(std::max<size_t>(1, options.least_rows)),
        wanted_recall_(options.wanted_recall),
        wait_after_failure_(options.wait_after_failure),
        thread_(thread) {}

  StatusOr<Finding> Find(Queries queries, size_t wanted, const StopCheck& stop) override {
    return CatchToStatus("searching", [&]() -> StatusOr<Finding> {
      const Taken taken = Current();
      if (!IsEnough(taken.get()) || !std::all_of(queries.begin(), queries.end(), IsBounded)) {
        FACEGATE_RETURN_IF_ERROR(Ask(stop));
        return Finding{.coverage = NothingCovered(),
                       .queries = std::vector<FoundRows>(queries.size())};
      }
      Finding finding{.coverage = taken->coverage, .queries = {}};
      finding.queries.reserve(queries.size());
      for (const auto& query : queries) {
        FACEGATE_RETURN_IF_ERROR(Ask(stop));
        FACEGATE_ASSIGN_OR_RETURN(
            const auto scores,
            SearchTaken(*taken, query, std::min(wanted, kMostWanted), taken->effort, stop));
        finding.queries.push_back(RowsOf(*taken, scores));
      }
      return finding;
    });
  }

  size_t most() const override { return kMostWanted; }
  bool is_approximate() const override { return true; }
  FinderState state() const override {
    const Taken taken = Current();
    if (!IsEnough(taken.get())) return {};
    return {.rows = taken->coverage->rows(), .recall = taken->recall};
  }

  void Follow(const RowSnapshot& snapshot) noexcept override {
    try {
      // What this lets go of, without the lock: it may be the last to hold segments.
      std::optional<RowSnapshot> before;
      bool is_worth = false;
      {
        const MutexLock lock(mutex_);
        if (snapshot.number() < latest_) return;
        latest_ = snapshot.number();
        is_worth = IsWorthFollowing(snapshot);
        // One that waits is not kept longer than the index has it, whatever there is to follow.
        if (!is_worth && !waiting_.has_value()) return;
        before.swap(waiting_);
        waiting_ = snapshot;
      }
      const auto thread = thread_.lock();
      if (is_worth && thread != nullptr) thread->Ask(weak_from_this());
    } catch (...) {
      // A later search tells it again.
    }
  }

  void FollowNow(const StopCheck& stop) override {
    following_.clear();
    bool has_failed = true;
    bool was_stopped = false;
    try {
      const Status status = CatchToStatus("following an index", [&] { return FollowAll(stop); });
      was_stopped = !status.ok() && !Ask(stop).ok();
      has_failed = !status.ok() && !was_stopped;
      if (has_failed) {
        LogWarning("an approximate search does not follow its index: {}", MessageOf(status));
      }
    } catch (...) {
      // There is no memory for a status, or for a warning.
    }
    made_.reset();
    // Nothing is held for searches that scan.
    const bool has_none = Current() != nullptr && Current()->parts.empty();
    if (has_none) Publish(nullptr);
    const MutexLock lock(mutex_);
    if (!has_failed && (!has_none || was_stopped)) return;
    waits_until_ = Clock::now() + wait_after_failure_;
    unfollowed_.swap(following_);
  }

  void LetGo() override {
    try {
      TakeLatest(false);
    } catch (const std::bad_alloc&) {
      return;  // nothing is held then
    }
  }

 private:
  Taken Current() const {
    const MutexLock lock(mutex_);
    return taken_;
  }

  void Publish(Taken taken) {
    const MutexLock lock(mutex_);
    taken_.swap(taken);
  }

  bool IsWorthFollowing(const RowSnapshot& snapshot) FACEGATE_REQUIRES(mutex_) {
    if (taken_ != nullptr && !snapshot.HasSegmentsOf(taken_->snapshot)) return true;
    return HasMany(taken_.get(), snapshot) && !Waits(snapshot);
  }

  // Rows that could not be taken in are all there still, and time has not passed.
  bool Waits(const RowSnapshot& snapshot) const FACEGATE_REQUIRES(mutex_) {
    if (Clock::now() >= waits_until_) return false;
    const Serials there = SerialsOf(snapshot);
    return std::includes(there.begin(), there.end(), unfollowed_.begin(), unfollowed_.end());
  }

  // So many rows are covered that they are looked through.
  bool IsEnough(const TakenRows* taken) const {
    return taken != nullptr && taken->coverage->rows() >= least_rows_;
  }

  // So many rows could be taken in that it is worth the work.
  bool HasMany(const TakenRows* taken, const RowSnapshot& snapshot) const {
    if (taken == nullptr) return snapshot.rows() >= least_rows_;
    const size_t covered = taken->coverage->rows();
    const size_t uncovered = taken->Uncovered(snapshot);
    if (covered < least_rows_) return uncovered > 0 && covered + uncovered >= least_rows_;
    return uncovered >= std::max(least_rows_, covered / kShareOfCovered);
  }

  // So many rows have gone since recall was measured that it tells nothing any more.
  static bool IsOutdated(const TakenRows& taken) {
    const size_t unmeasured = taken.gone() - std::min(taken.gone(), taken.gone_when_measured);
    return unmeasured > taken.left() / kShareUnmeasured;
  }

  FoundRows RowsOf(const TakenRows& taken, const std::vector<PlacedScore>& scores) const {
    FoundRows found;
    found.error = FloatDotErrorBound(dimension_);
    found.rows.reserve(scores.size());
    for (const PlacedScore& score : scores) {
      const RowNode& node = (*taken.parts[score.part].nodes)[score.node];
      // The others are scanned.
      if (node.row >= taken.coverage->RowsOf(node.segment)) continue;
      found.rows.push_back({.segment = node.segment, .row = node.row, .score = score.score});
    }
    return found;
  }

  // What is to be done with what was taken.
  struct Plan {
    bool forgets = false;  // all of it
    bool takes_in = false;
    std::vector<bool> merged{};  // parts that are made anew
    bool measures = false;
  };

  Status FollowAll(const StopCheck& stop) {
    TakeLatest(true);
    // Nothing that was taken is held here: what moves while this goes on is to be let go of.
    const Plan plan = PlanFor(Current().get());
    if (plan.forgets) Publish(nullptr);
    const Clock::time_point begin = Clock::now();
    if (plan.takes_in) FACEGATE_RETURN_IF_ERROR(TakeIn(plan.merged, stop));
    if (plan.measures) FACEGATE_RETURN_IF_ERROR(Measure(stop));
    const Taken taken = Current();
    if (plan.takes_in && taken != nullptr && taken->recall.has_value()) {
      LogInfo(
          "an approximate search of {} templates was built in {:.1f} s; it finds {:.1f} % of "
          "the ten nearest",
          taken->left(), std::chrono::duration<double>(Clock::now() - begin).count(),
          100.0 * *taken->recall);
    }
    return OkStatus();
  }

  Plan PlanFor(const TakenRows* taken) {
    Plan plan;
    if (taken == nullptr) return plan;
    following_ = SerialsOf(taken->snapshot);
    const size_t uncovered = taken->Uncovered(taken->snapshot);
    plan.forgets = taken->left() + uncovered < least_rows_ / 2;
    // Nothing is made better that is not looked through.
    if (plan.forgets || taken->coverage->rows() + uncovered < least_rows_) return plan;
    {
      const MutexLock lock(mutex_);
      plan.takes_in = HasMany(taken, taken->snapshot) && !Waits(taken->snapshot);
    }
    plan.merged = Merged(*taken, plan.takes_in ? uncovered : 0);
    if (std::find(plan.merged.begin(), plan.merged.end(), true) != plan.merged.end()) {
      plan.takes_in = true;
    }
    plan.measures = plan.takes_in || IsOutdated(*taken);
    return plan;
  }

  // Better nothing than rows of people who were removed.
  struct Forget {
    void operator()(ApproximateFinder* finder) const { finder->Publish(nullptr); }
  };

  // Goes over to the latest snapshot; without `anyhow` only where segments came or went. Those that
  // went are let go of, and nothing holds them but searches that still read them. Throws
  // std::bad_alloc.
  void TakeLatest(bool anyhow) {
    std::optional<RowSnapshot> latest;
    Taken taken;
    {
      const MutexLock lock(mutex_);
      if (!waiting_.has_value()) return;
      const bool has_moved = taken_ != nullptr && !waiting_->HasSegmentsOf(taken_->snapshot);
      if (!anyhow && !has_moved) return;
      latest.swap(waiting_);
      taken = taken_;
    }
    std::unique_ptr<ApproximateFinder, Forget> unless_it_ends(this);
    TakenRows later = taken == nullptr ? NothingTaken(*latest)
                                       : TakenLater(*taken, *latest, made_ ? &*made_ : nullptr);
    if (IsOutdated(later)) later.recall.reset();
    Publish(std::make_shared<TakenRows>(std::move(later)));
    (void)unless_it_ends.release();
  }

  StopCheck Between(const StopCheck& stop) {
    return [this, &stop]() -> Status {
      TakeLatest(false);
      return Ask(stop);
    };
  }

  // Which parts are made anew together with so many rows that are in none: those that have lost
  // many, and those less than twice as large as what comes, so that a row is taken in again no more
  // often than the logarithm of their number.
  std::vector<bool> Merged(const TakenRows& taken, size_t added) const {
    std::vector<bool> merged(taken.parts.size(), false);
    size_t kept = taken.parts.size();
    size_t rows = added;
    const auto merge = [&](size_t part) {
      merged[part] = true;
      kept -= 1;
      rows += taken.parts[part].left();
    };
    for (size_t i = 0; i < merged.size(); ++i) {
      if (taken.parts[i].gone > taken.parts[i].nodes->size() / kShareGone) merge(i);
    }
    if (rows == 0 && kept == merged.size()) return merged;
    std::vector<std::pair<size_t, size_t>> by_size;
    for (size_t i = 0; i < merged.size(); ++i) by_size.emplace_back(taken.parts[i].left(), i);
    std::sort(by_size.begin(), by_size.end());
    for (const auto& [size, part] : by_size) {
      if (!merged[part] && (size < 2 * rows || kept >= kMostParts)) merge(part);
    }
    return merged;
  }

  // Makes a part of rows that are in none and of those of the merged ones.
  Status TakeIn(const std::vector<bool>& merged, const StopCheck& stop) {
    {
      TakenRows taken = *Current();
      FACEGATE_ASSIGN_OR_RETURN(made_, RowsToTake(taken, merged, stop));
      Publish(std::make_shared<TakenRows>(std::move(taken)));
    }
    std::shared_ptr<const NodeSearch> search;
    if (!made_->nodes.empty()) {
      LogInfo(
          "an approximate search of {} templates is being built, in the background, with {} "
          "threads",
          made_->nodes.size(), BackgroundThreads());
      const StopCheck between = Between(stop);
      FACEGATE_ASSIGN_OR_RETURN(search, kind_ == ApproximateKind::kHnsw
                                            ? BuildGraph(made_->nodes, dimension_, between)
                                            : BuildLists(made_->nodes, dimension_, between));
    }
    TakenRows taken = *Current();
    std::vector<TakenPart> parts;
    for (size_t i = 0; i < taken.parts.size(); ++i) {
      if (!merged[i]) parts.push_back(std::move(taken.parts[i]));
    }
    if (search != nullptr) {
      parts.push_back({.ids = std::move(made_->ids),
                       .nodes = std::make_shared<RowNodes>(std::move(made_->nodes)),
                       .search = std::move(search),
                       .gone = made_->gone});
    }
    made_.reset();
    taken.parts = std::move(parts);
    // How hard to look is not known yet.
    taken.effort = kEfforts - 1;
    taken.recall.reset();
    // Only what has a node now is covered, whatever had one before.
    taken.coverage = NothingCovered();
    FACEGATE_RETURN_IF_ERROR(Cover(taken, stop));
    Publish(std::make_shared<TakenRows>(std::move(taken)));
    return OkStatus();
  }

  Status Measure(const StopCheck& stop) {
    FACEGATE_ASSIGN_OR_RETURN(
        const MeasuredRecall measured,
        MeasureRecall([this] { return Current(); }, wanted_recall_, dimension_, Between(stop)));
    TakenRows taken = *Current();
    taken.effort = measured.effort;
    taken.recall = measured.recall;
    taken.gone_when_measured = taken.gone();
    Publish(std::make_shared<TakenRows>(std::move(taken)));
    return OkStatus();
  }

  const ApproximateKind kind_;
  const size_t dimension_;
  const size_t least_rows_;
  const double wanted_recall_;
  const Clock::duration wait_after_failure_;
  // The finder may end on that thread, which must not end there.
  const std::weak_ptr<FollowThread> thread_;
  // What FollowNow() makes, and the segments that it began with. It alone uses these.
  std::optional<NewPart> made_;
  Serials following_;

  mutable Mutex mutex_;
  Taken taken_ FACEGATE_GUARDED_BY(mutex_);  // null: nothing; only FollowNow() changes it
  std::optional<RowSnapshot> waiting_ FACEGATE_GUARDED_BY(mutex_);  // what is to be followed
  uint64_t latest_ FACEGATE_GUARDED_BY(mutex_) = 0;                 // number of a snapshot
  // Until then it is not worth following that there are many rows, while these segments are there.
  Clock::time_point waits_until_ FACEGATE_GUARDED_BY(mutex_) = Clock::time_point::min();
  Serials unfollowed_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace

std::shared_ptr<RowFinder> MakeApproximateFinder(ApproximateKind kind, size_t dimension,
                                                 const std::shared_ptr<FollowThread>& thread,
                                                 const ApproximateOptions& options) {
  return std::make_shared<ApproximateFinder>(kind, dimension, thread, options);
}

}  // namespace facegate
