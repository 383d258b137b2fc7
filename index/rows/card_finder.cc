#include "index/rows/card_finder.h"

#include <algorithm>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <utility>
#include <vector>

#include "face/base/catch.h"
#include "face/base/mutex.h"
#include "index/rows/half.h"

namespace facegate {
namespace {

// Rows that are put on the card at a time, between which searches have their turn.
constexpr size_t kRowsAtOnce = 4096;
// Fewer rows than that are scanned rather than put on the card one by one.
constexpr size_t kWorthAdding = 256;

using Queries = std::span<const std::span<const float>>;

class CardFinder final : public RowFinder,
                         public Follower,
                         public std::enable_shared_from_this<CardFinder> {
 public:
  CardFinder(size_t dimension, std::shared_ptr<SharedCard> card,
             std::shared_ptr<FollowThread> thread)
      : dimension_(dimension),
        card_(std::move(card)),
        thread_(std::move(thread)),
        rows_(card_->MakeRows(dimension)) {}

  StatusOr<Finding> Find(Queries queries, size_t wanted, const StopCheck& stop) override {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    Finding finding{.coverage = std::make_shared<const Coverage>(std::vector<Coverage::Part>{}),
                    .queries = std::vector<FoundRows>(queries.size())};
    if (rows_->layout()->coverage->rows() == 0) return finding;
    const auto request = std::make_shared<CardRequest>();
    request->rows = rows_;
    request->dimension = dimension_;
    request->wanted = wanted;
    request->halves.resize(queries.size() * dimension_);
    std::vector<std::optional<double>> residuals;
    for (size_t i = 0; i < queries.size(); ++i) {
      const std::span<uint16_t> halves(request->halves.data() + i * dimension_, dimension_);
      double residual = 0.0;
      const bool is_known = RoundToHalves(queries[i], halves, residual);
      if (!is_known) std::fill(halves.begin(), halves.end(), uint16_t{0});
      residuals.push_back(is_known ? std::optional(residual) : std::nullopt);
    }
    FACEGATE_ASSIGN_OR_RETURN(const auto pass, card_->Search(request, stop));
    if (pass == nullptr) return finding;
    finding.coverage = pass->layout->coverage;
    for (size_t i = 0; i < queries.size(); ++i) {
      if (residuals[i].has_value()) {
        finding.queries[i] = Read(*pass, request->first_query + i, *residuals[i], wanted);
      } else {
        finding.queries[i].beyond = std::numeric_limits<double>::infinity();
      }
    }
    return finding;
  }

  size_t most() const override { return card_->most_wanted(); }

  void Follow(const RowSnapshot& snapshot) noexcept override {
    try {
      if (card_->has_failed() || !IsWorthFollowing(snapshot)) return;
      {
        const MutexLock lock(mutex_);
        if (latest_.has_value() && latest_->number() >= snapshot.number()) return;
        latest_ = snapshot;
      }
      thread_->Ask(weak_from_this());
    } catch (...) {
      // A later search tells it again.
    }
  }

  void FollowNow(const StopCheck& stop) override {
    std::optional<RowSnapshot> snapshot;
    {
      const MutexLock lock(mutex_);
      snapshot = std::exchange(latest_, std::nullopt);
      if (!snapshot.has_value() || snapshot->number() <= followed_) return;
      followed_ = snapshot->number();
    }
    // What fails is told again by a later search.
    (void)CatchToStatus("rows for the card", [&] { return Update(*snapshot, stop); });
  }

  bool is_approximate() const override { return false; }
  FinderState state() const override { return {.rows = rows_->layout()->coverage->rows()}; }

 private:
  // Something has left the index, or many rows are not on the card.
  bool IsWorthFollowing(const RowSnapshot& snapshot) const {
    const auto coverage = rows_->layout()->coverage;
    size_t segments = 0;
    for (const RowSnapshot::Part& part : snapshot.parts()) {
      segments += coverage->RowsOf(part.segment->serial()) > 0 ? 1 : 0;
    }
    return segments < coverage->parts().size() || snapshot.Without(coverage).rows() >= kWorthAdding;
  }

  Status Update(const RowSnapshot& snapshot, const StopCheck& stop) {
    FACEGATE_RETURN_IF_ERROR(card_->Change(*rows_, [&] { return rows_->Forget(snapshot); }));
    const RowSnapshot missing = snapshot.Without(rows_->layout()->coverage);
    size_t left = missing.rows();
    bool is_full = false;
    for (const RowSnapshot::Part& part : missing.parts()) {
      for (size_t begin = part.begin; begin < part.end && !is_full;) {
        FACEGATE_RETURN_IF_ERROR(Ask(stop));
        FACEGATE_ASSIGN_OR_RETURN(const size_t added,
                                  AddSome(*part.segment, begin, part.end, left, is_full));
        // What cannot be searched in half precision stays on the CPU, and what follows it.
        if (added == 0) break;
        begin += added;
        left -= added;
      }
    }
    if (is_full) card_->SetFull();
    for (bool has_more = true; has_more;) {
      FACEGATE_RETURN_IF_ERROR(card_->Change(*rows_, [&]() -> Status {
        FACEGATE_ASSIGN_OR_RETURN(has_more, rows_->Pack());
        return OkStatus();
      }));
    }
    return OkStatus();
  }

  // Returns how many of the rows from `begin` to `end` were added, of `left` that there are in all.
  StatusOr<size_t> AddSome(const Segment& segment, size_t begin, size_t end, size_t left,
                           bool& is_full) {
    std::vector<uint16_t> halves(dimension_);
    double largest = 0.0;
    if (!RoundToHalves(segment.Vector(begin), halves, largest)) return size_t{0};
    size_t room = 0;
    FACEGATE_RETURN_IF_ERROR(card_->Change(*rows_, [&]() -> Status {
      if (rows_->room() == 0) {
        FACEGATE_ASSIGN_OR_RETURN(const bool made, rows_->AddSlab(left));
        is_full = !made;
      }
      room = rows_->room();
      return OkStatus();
    }));
    if (room == 0) return size_t{0};
    size_t rows = 1;
    const size_t most = std::min({room, kRowsAtOnce, end - begin});
    halves.resize(most * dimension_);
    for (; rows < most; ++rows) {
      double residual = 0.0;
      const auto row = std::span(halves).subspan(rows * dimension_, dimension_);
      if (!RoundToHalves(segment.Vector(begin + rows), row, residual)) break;
      largest = std::max(largest, residual);
    }
    halves.resize(rows * dimension_);
    FACEGATE_RETURN_IF_ERROR(
        card_->Change(*rows_, [&] { return rows_->Add(segment.serial(), halves, largest); }));
    std::fill(halves.begin(), halves.end(), uint16_t{0});
    return rows;
  }

  // What a pass says of one query.
  FoundRows Read(const CardPass& pass, size_t query, double residual, size_t wanted) const {
    FoundRows found;
    found.error = HalfScoreErrorBound(dimension_, residual, pass.layout->residual);
    float beyond = -std::numeric_limits<float>::infinity();
    for (size_t slab = 0; slab < pass.best.size(); ++slab) {
      const SearchCard::Best& best = pass.best[slab];
      for (size_t i = query * best.of_query; i < (query + 1) * best.of_query; ++i) {
        auto row = pass.layout->RowAt(slab, best.rows[i]);
        if (!row.has_value()) continue;
        row->score = best.products[i];
        found.rows.push_back(*row);
      }
      const bool has_more = best.of_query < pass.rows[slab];
      if (has_more) beyond = std::max(beyond, best.products[(query + 1) * best.of_query - 1]);
    }
    if (found.rows.size() > wanted) {
      const auto first = found.rows.begin() + static_cast<std::ptrdiff_t>(wanted);
      std::nth_element(found.rows.begin(), first, found.rows.end(),
                       [](const auto& a, const auto& b) { return a.score > b.score; });
      beyond = std::max(beyond, first->score);
      found.rows.erase(first, found.rows.end());
    }
    found.beyond = static_cast<double>(beyond) + found.error;
    return found;
  }

  const size_t dimension_;
  const std::shared_ptr<SharedCard> card_;
  const std::shared_ptr<FollowThread> thread_;
  const std::shared_ptr<CardRows> rows_;

  Mutex mutex_;
  std::optional<RowSnapshot> latest_ FACEGATE_GUARDED_BY(mutex_);
  uint64_t followed_ FACEGATE_GUARDED_BY(mutex_) = 0;  // number of the last one
};

}  // namespace

std::shared_ptr<RowFinder> MakeCardFinder(size_t dimension, std::shared_ptr<SharedCard> card,
                                          std::shared_ptr<FollowThread> thread) {
  return std::make_shared<CardFinder>(dimension, std::move(card), std::move(thread));
}

}  // namespace facegate
