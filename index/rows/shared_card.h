#pragma once

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "face/base/catch.h"
#include "face/base/mutex.h"
#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "index/rows/card_rows.h"
#include "index/rows/card_search.h"
#include "index/rows/search_card.h"

namespace facegate {

// What one pass over the rows of an index found, for the queries of all who waited.
struct CardPass {
  std::shared_ptr<const CardLayout> layout;
  std::vector<size_t> rows;            // of each slab, that were looked through
  std::vector<SearchCard::Best> best;  // of each slab
};

// Queries that a caller waits for.
struct CardRequest {
  std::shared_ptr<CardRows> rows;
  size_t dimension = 0;
  std::vector<uint16_t> halves;
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
  // Uses `budget` bytes of the card at most.
  SharedCard(std::unique_ptr<SearchCard> card, uint64_t budget);

  const std::string& name() const { return name_; }
  size_t most_wanted() const { return most_wanted_; }

  // It must outlive them.
  std::shared_ptr<CardRows> MakeRows(size_t dimension);

  // Calls `work` with the card to itself. When it fails or throws, `rows` are given up.
  template <typename Work>
  Status Change(CardRows& rows, const Work& work) {
    const WriterLock lock(mutex_);
    if (has_failed_.load()) return Status(StatusCode::kUnavailable, "the card has failed");
    const Status status = CatchToStatus("the card's rows", [&] { return work(); });
    if (status.ok()) return status;
    rows.Clear();
    if (status.code() != StatusCode::kResourceExhausted) Fail(status);
    return status;
  }

  // Null when nothing was looked through. What `stop` says when it says so.
  StatusOr<std::shared_ptr<const CardPass>> Search(const std::shared_ptr<CardRequest>& request,
                                                   const StopCheck& stop);
  // Serves who searches, until Close().
  void Serve();
  void Close();

  // Rows had to be left out.
  void SetFull();

  bool has_failed() const { return has_failed_.load(); }
  CardSearch::Counts counts();

 private:
  std::vector<std::shared_ptr<CardRequest>> TakeWaiting();
  std::shared_ptr<const CardPass> Look(const std::vector<std::shared_ptr<CardRequest>>& requests);
  void Fail(const Status& status);

  const size_t most_wanted_;
  const std::string name_;

  // Held by whoever uses the card or changes what lies on it.
  SharedMutex mutex_;
  const std::unique_ptr<SearchCard> card_;
  CardBudget budget_;

  Mutex queue_mutex_;
  CondVar work_;
  std::deque<std::shared_ptr<CardRequest>> waiting_ FACEGATE_GUARDED_BY(queue_mutex_);
  bool closed_ FACEGATE_GUARDED_BY(queue_mutex_) = false;

  std::atomic<bool> is_full_{false};
  std::atomic<bool> has_failed_{false};
  std::atomic<uint64_t> queries_{0};
  std::atomic<uint64_t> passes_{0};
};

}  // namespace facegate
