#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/clock.h"
#include "face/base/mutex.h"
#include "face/base/status.h"
#include "index/journal.h"
#include "index/local/known_requests.h"
#include "index/store/key_codec.h"
#include "index/store/template_store.h"

namespace facegate {

// What must be written for requests alone, and what to do with the ledger until it is.
struct LedgerWork {
  StoreChange change;
  std::shared_ptr<void> at_work;  // keeps others from these requests while it lives
};

// The requests that the store holds, and those that are at work now. It adds what it has to say to
// the changes of others and writes nothing itself (StoreWriter). Thread-safe.
//
// NextWork() forgets a request kRequestLifetime after it was made, or earlier when there are more
// than `max_requests`: the oldest first. Age is measured in a time of the ledger's own, which goes
// on with the monotonic clock while the ledger is there. From one opening to the next it goes on
// with the clock on the wall, but never backwards, and by kLongestPause at most: a clock that is
// set days ahead looks like a pause.
class RequestLedger {
 public:
  static constexpr std::chrono::hours kLongestPause{12};

  // Both must outlive the ledger.
  RequestLedger(TemplateStore& store, const Clock& clock, size_t max_requests = kMaxRequests);

  // One that the store holds; while nothing else is at work. kStoreCorrupt when its id is there
  // already.
  Status Load(const RequestKey& key, int64_t create_time_us);
  // A deleted collection of which requests are to be buried.
  void LoadDeleted(uint64_t collection);
  // After the last Load(). `stored_time_us` is TemplateStore::ReadRequestTime().
  void Loaded(std::optional<int64_t> stored_time_us);

  // See Gallery::BeginRequest(). The ledger must outlive the ticket.
  StatusOr<RequestTicket> Begin(const RequestId& id, std::string_view fingerprint);

  // Adds to `change` what keeps the answer of `receipt` below `owner`; nothing without a ticket.
  // The oldest below an identity beyond kMaxRequestsOfIdentity become outdated with it, so that no
  // later change of the identity has many of them to see to.
  template <typename Result>
  Status Keep(const Receipt<Result>& receipt, const Result& result, const IdentityKey& owner,
              StoreChange& change) {
    if (receipt.ticket == nullptr) return OkStatus();
    return KeepAnswer(*receipt.ticket, receipt.answer(result), owner, change);
  }
  // Adds to `change`, which deletes the identity, that its requests are kept without their answers.
  Status Bury(const IdentityKey& owner, StoreChange& change) const;
  // The same where the identity stays, or becomes part of another.
  Status Outdate(const IdentityKey& owner, StoreChange& change) const;
  // Adds to `change`, which deletes the collection, that NextWork() is to bury its requests. Until
  // then they count as buried.
  void BuryLater(uint64_t collection, StoreChange& change) const;

  // A change on its way to the store. Nothing can fail after it is there.
  class Writing {
   public:
    Writing(RequestLedger& ledger, const StoreChange& change);
    ~Writing();
    Writing(const Writing&) = delete;
    Writing& operator=(const Writing&) = delete;
    // The store has the change: what it says of requests is kept in mind.
    void Done();

   private:
    RequestLedger& ledger_;
    const StoreChange& change_;
    std::vector<KnownRequests::Place> places_;
    std::set<uint64_t> deleted_collections_;  // that are to be buried
    const bool moves_;                        // records, perhaps
  };

  // Some requests that are to be forgotten or buried; nothing when there are none.
  StatusOr<std::optional<LedgerWork>> NextWork();
  // The ledger's time, where the store has not got it for long; to be asked every few seconds.
  std::optional<StoreChange> TimeToKeep() const;

 private:
  class AtWork;  // until it goes, the request counts as being at work
  class Taken;

  Status KeepAnswer(const RequestTicket& ticket, std::string answer, const IdentityKey& owner,
                    StoreChange& change) const;
  // For one more below the identity.
  Status MakeRoomBelow(const IdentityKey& owner, StoreChange& change) const;
  Status TakeTurn(const RequestId& id);
  // Reads what the store holds of it; nothing when the id is new.
  StatusOr<std::optional<StoredRequest>> Read(const RequestId& id);
  void End(const RequestId& id);

  // Microseconds of the ledger's time.
  int64_t Now() const;

  // OK when the answer is there, else why it is not.
  Status CheckAnswered(const StoredRequest& stored) const;
  bool IsDeleted(uint64_t collection) const;
  std::vector<RequestKey> Below(const IdentityKey& owner) const;
  Status KeepWithoutAnswers(const std::vector<RequestKey>& keys, bool outdated,
                            StoreChange& change) const;
  // The record of `key` as it is kept below `owner`, without its answer; nothing when it is gone.
  StatusOr<std::optional<StoredRequest>> WithoutAnswer(const RequestKey& key,
                                                       const IdentityKey& owner) const;

  // A few requests that nobody is at work on, which then count as being at work themselves.
  std::shared_ptr<Taken> TakeOld();
  std::shared_ptr<Taken> TakeBelow(uint64_t collection);
  StatusOr<std::optional<LedgerWork>> BurySome();
  StatusOr<StoreChange> BuryAsOfNobody(const std::vector<RequestKey>& keys) const;

  TemplateStore& store_;
  const Clock& clock_;
  const size_t max_requests_;

  // The ledger's time at a time of the monotonic clock. Set once, before anything else is at work.
  int64_t start_us_;
  Clock::TimePoint start_;

  mutable Mutex mutex_;
  std::set<RequestId> at_work_ FACEGATE_GUARDED_BY(mutex_);
  // Changes that may move records; in the store they may be done already, in memory they are not.
  size_t writes_ FACEGATE_GUARDED_BY(mutex_) = 0;
  KnownRequests known_ FACEGATE_GUARDED_BY(mutex_);
  std::set<uint64_t> deleted_collections_ FACEGATE_GUARDED_BY(mutex_);  // some requests are left
  std::optional<int64_t> stored_time_us_ FACEGATE_GUARDED_BY(mutex_);
  bool told_of_too_many_ FACEGATE_GUARDED_BY(mutex_) = false;
};

}  // namespace facegate
