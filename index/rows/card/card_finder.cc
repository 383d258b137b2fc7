#include "index/rows/card/card_finder.h"

#include <algorithm>
#include <atomic>
#include <cstdint>
#include <limits>
#include <optional>
#include <queue>
#include <span>
#include <utility>
#include <vector>

#include "face/base/mutex.h"
#include "index/rows/card/half.h"

namespace facegate {
namespace {

// What is put on the card at a time, between which searches have their turn: 4096 rows of 512.
constexpr size_t kValuesAtOnce = size_t{1} << 21;
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
  ~CardFinder() override { card_->CountLeft(without_room_, 0); }

  StatusOr<Finding> Find(Queries queries, size_t wanted, const StopCheck& stop) override {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    Finding finding{.coverage = std::make_shared<const Coverage>(std::vector<Coverage::Part>{}),
                    .queries = std::vector<FoundRows>(queries.size())};
    if (rows_->layout()->coverage->rows() == 0) return finding;
    const auto request = std::make_shared<CardRequest>(queries.size() * dimension_);
    request->rows = rows_;
    request->dimension = dimension_;
    request->wanted = wanted;
    std::vector<std::optional<double>> residuals;
    for (size_t i = 0; i < queries.size(); ++i) {
      const std::span<uint16_t> halves = request->halves.Part(i * dimension_, dimension_);
      double residual = 0.0;
      const bool is_known = RoundToHalves(queries[i], halves, residual);
      if (!is_known) std::fill(halves.begin(), halves.end(), uint16_t{0});
      residuals.push_back(is_known ? std::optional(residual) : std::nullopt);
    }
    FACEGATE_ASSIGN_OR_RETURN(const auto pass, card_->Search(request, stop));
    if (pass == nullptr) return finding;
    finding.coverage = pass->layout->coverage;
    for (size_t i = 0; i < queries.size(); ++i) {
      FACEGATE_RETURN_IF_ERROR(Ask(stop));
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
      if (!IsWorthFollowing(snapshot)) return;
      // What it replaces may be the last to hold rows that have moved.
      std::optional<RowSnapshot> latest = snapshot;
      {
        const MutexLock lock(mutex_);
        if (latest_.has_value() && latest_->number() >= snapshot.number()) return;
        latest_.swap(latest);
      }
      thread_->Ask(weak_from_this());
    } catch (...) {
      // A later search tells it again.
    }
  }

  void FollowNow(const StopCheck& stop) override {
    try {
      std::optional<RowSnapshot> snapshot;
      {
        const MutexLock lock(mutex_);
        snapshot.swap(latest_);
        if (!snapshot.has_value() || snapshot->number() <= followed_.load()) return;
        followed_.store(snapshot->number());
      }
      (void)Update(*snapshot, stop);
    } catch (...) {
      // A later search tells it again.
    }
  }

  bool is_approximate() const override { return false; }
  FinderState state() const override { return {.rows = rows_->layout()->coverage->rows()}; }

 private:
  // Something has left the index, or many rows are not on the card that have room there.
  bool IsWorthFollowing(const RowSnapshot& snapshot) const {
    if (snapshot.number() <= followed_.load()) return false;
    const auto coverage = rows_->layout()->coverage;
    if (card_->is_away()) return coverage->rows() > 0;
    size_t segments = 0;
    size_t missing = 0;
    for (const RowSnapshot::Part& part : snapshot.whole()) {
      const size_t there = coverage->RowsOf(part.segment->serial());
      segments += there > 0 ? 1 : 0;
      missing += part.end - std::min(part.end, there);
    }
    if (segments < coverage->parts().size()) return true;
    if (coverage->rows() == 0 && missing < card_->least_rows()) return false;
    const bool has_room = left_.load() == 0 || card_->given_back() != given_back_.load();
    return missing >= (has_room ? 0 : left_.load()) + kWorthAdding;
  }

  Status Update(const RowSnapshot& snapshot, const StopCheck& stop) {
    FACEGATE_RETURN_IF_ERROR(card_->Change(*rows_, [&] { return rows_->Forget(snapshot); }));
    FACEGATE_RETURN_IF_ERROR(Pack(stop));
    const uint64_t given_back = card_->given_back();
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
    left_.store(left);
    const size_t without_room = is_full ? left : 0;
    card_->CountLeft(std::exchange(without_room_, without_room), without_room);
    given_back_.store(given_back);
    return Pack(stop);
  }

  Status Pack(const StopCheck& stop) {
    for (bool has_more = true; has_more;) {
      FACEGATE_RETURN_IF_ERROR(Ask(stop));
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
    size_t rows = std::min(std::max<size_t>(kValuesAtOnce / dimension_, 1), end - begin);
    WipedHalves halves(rows * dimension_);
    double largest = 0.0;
    size_t rounded = 0;
    while (rounded < rows) {
      double residual = 0.0;
      if (!RoundToHalves(segment.Vector(begin + rounded),
                         halves.Part(rounded * dimension_, dimension_), residual)) {
        break;
      }
      largest = std::max(largest, residual);
      if (++rounded > 1) continue;
      // The first one can be added: is there room?
      FACEGATE_ASSIGN_OR_RETURN(const size_t room, Room(left));
      is_full = room == 0;
      rows = std::min(rows, room);
    }
    rounded = std::min(rounded, rows);
    if (rounded == 0) return size_t{0};
    FACEGATE_RETURN_IF_ERROR(card_->Change(*rows_, [&] {
      return rows_->Add(segment.serial(), halves.First(rounded * dimension_), largest);
    }));
    return rounded;
  }

  // How many rows can be added; another slab is made for `left` where none can.
  StatusOr<size_t> Room(size_t left) {
    size_t room = 0;
    const auto make = [&]() -> Status {
      if (rows_->room() == 0) FACEGATE_RETURN_IF_ERROR(rows_->AddSlab(left).status());
      room = rows_->room();
      return OkStatus();
    };
    FACEGATE_RETURN_IF_ERROR(card_->Change(*rows_, make));
    return room;
  }

  // What a pass says of one query: the best of the best of the slabs, each of which comes in order.
  FoundRows Read(const CardPass& pass, size_t query, double residual, size_t wanted) const {
    FoundRows found;
    found.error = HalfScoreErrorBound(dimension_, residual, pass.layout->residual);
    struct Head {
      float product = 0.0f;
      size_t slab = 0;
      size_t at = 0;
      bool operator<(const Head& other) const { return product < other.product; }
    };
    std::priority_queue<Head> heads;
    float beyond = -std::numeric_limits<float>::infinity();
    const auto take = [&](size_t slab, size_t at) {
      const SearchCard::Best& best = pass.best[slab];
      if (at < best.of_query) {
        heads.push({.product = best.products[query * best.of_query + at], .slab = slab, .at = at});
      } else if (at < pass.rows[slab]) {
        beyond = std::max(beyond, best.products[query * best.of_query + at - 1]);
      }
    };
    for (size_t slab = 0; slab < pass.best.size(); ++slab) take(slab, 0);
    while (!heads.empty() && found.rows.size() < wanted) {
      const Head head = heads.top();
      heads.pop();
      const SearchCard::Best& best = pass.best[head.slab];
      auto row = pass.layout->RowAt(head.slab, best.rows[query * best.of_query + head.at]);
      if (row.has_value()) {
        row->score = head.product;
        found.rows.push_back(*row);
      }
      take(head.slab, head.at + 1);
    }
    if (!heads.empty()) beyond = std::max(beyond, heads.top().product);
    found.beyond = static_cast<double>(beyond) + found.error;
    return found;
  }

  const size_t dimension_;
  const std::shared_ptr<SharedCard> card_;
  const std::shared_ptr<FollowThread> thread_;
  const std::shared_ptr<CardRows> rows_;

  Mutex mutex_;
  std::optional<RowSnapshot> latest_ FACEGATE_GUARDED_BY(mutex_);

  std::atomic<uint64_t> followed_{0};  // number of the last snapshot that was followed
  // Rows that had no room then, or none in half precision, and how often room had been given back.
  std::atomic<size_t> left_{0};
  std::atomic<uint64_t> given_back_{0};
  size_t without_room_ = 0;  // of those left; for the thread that follows
};

}  // namespace

std::shared_ptr<RowFinder> MakeCardFinder(size_t dimension, std::shared_ptr<SharedCard> card,
                                          std::shared_ptr<FollowThread> thread) {
  return std::make_shared<CardFinder>(dimension, std::move(card), std::move(thread));
}

}  // namespace facegate
