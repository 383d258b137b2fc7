#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "face/base/mutex.h"
#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "index/rows/card/card_rows.h"
#include "index/rows/card/card_search.h"
#include "index/rows/card/half.h"
#include "index/rows/card/search_card.h"

namespace facegate {

// What one pass over the rows of an index found, for the queries of all who waited.
struct CardPass {
  std::shared_ptr<const CardLayout> layout;
  std::vector<size_t> rows;            // of each slab, that were looked through
  std::vector<SearchCard::Best> best;  // of each slab
};

// Queries that a caller waits for.
struct CardRequest {
  explicit CardRequest(size_t values) : halves(values) {}

  std::shared_ptr<CardRows> rows;
  size_t dimension = 0;
  WipedHalves halves;
  size_t wanted = 0;

  // These are guarded by the queue's mutex.
  CondVar changed;
  bool done = false;
  std::shared_ptr<const CardPass> pass;  // when it is done; null when the card has failed
  size_t first_query = 0;                // of the pass

  size_t queries() const { return halves.size() / dimension; }
};

// The card, with the rows of all indexes, and the queue of those who search. It is shared with the
// finders, which may outlive the thread that serves them.
class SharedCard {
 public:
  SharedCard(std::unique_ptr<SearchCard> card, const CardSearch::Options& options);

  const std::string& name() const { return name_; }
  size_t most_wanted() const { return most_wanted_; }
  size_t least_rows() const { return options_.least_rows; }

  // It must outlive them.
  std::shared_ptr<CardRows> MakeRows(size_t dimension);

  // Calls `work` with the card to itself. When it fails or throws, and when the card has failed
  // before, `rows` are given up.
  template <typename Work>
  Status Change(CardRows& rows, const Work& work) {
    const WriterLock lock(mutex_);
    Status status(StatusCode::kUnavailable, "the card is not asked any more");
    try {
      if (!is_away()) status = work();
    } catch (...) {
      rows.Clear();
      throw;
    }
    if (status.ok()) return status;
    rows.Clear();
    if (status.code() == StatusCode::kInternal) Fail(status);
    return status;
  }

  // Null when nothing was looked through. What `stop` says when it says so.
  StatusOr<std::shared_ptr<const CardPass>> Search(const std::shared_ptr<CardRequest>& request,
                                                   const StopCheck& stop);
  // Serves who searches, until Close().
  void Serve();
  void Close();

  // So many rows of an index have no room, where there were `before`.
  void CountLeft(uint64_t before, uint64_t now);
  // Counts how often room was given back.
  uint64_t given_back() const { return budget_.given_back.load(); }

  // It has failed, or is closed.
  bool is_away() const { return has_failed_.load() || is_closed_.load(); }
  CardSearch::Counts counts() const;

 private:
  std::vector<std::shared_ptr<CardRequest>> TakeWaiting();
  std::shared_ptr<const CardPass> Look(const std::vector<std::shared_ptr<CardRequest>>& requests);
  void Fail(const Status& status);

  const CardSearch::Options options_;
  const size_t most_wanted_;
  const std::string name_;
  CardBudget budget_;

  // Held by whoever uses the card or changes what lies on it.
  SharedMutex mutex_;
  const std::unique_ptr<SearchCard> card_;

  Mutex queue_mutex_;
  CondVar work_;
  std::deque<std::shared_ptr<CardRequest>> waiting_ FACEGATE_GUARDED_BY(queue_mutex_);

  std::atomic<bool> is_closed_{false};  // changes under queue_mutex_
  std::atomic<bool> has_failed_{false};
  std::atomic<uint64_t> queries_{0};
  std::atomic<uint64_t> passes_{0};
  std::atomic<uint64_t> refused_{0};
};

}  // namespace facegate
