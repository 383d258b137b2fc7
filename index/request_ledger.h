#pragma once

#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/clock.h"
#include "face/base/mutex.h"
#include "face/base/status.h"
#include "index/gallery.h"
#include "index/key_codec.h"
#include "index/template_store.h"

namespace facegate {

// Which requests the store knows, and which are at work now. The answers stay in the store; here
// lies where. Thread-safe.
//
// A request is forgotten kRequestLifetime after it was made, or earlier when there are more than
// `max_requests`: the oldest go first, a few with each write that has a receipt.
class RequestLedger {
 public:
  static constexpr size_t kMaxRequests = 1'000'000;  // about 200 MB

  // Both must outlive the ledger.
  RequestLedger(TemplateStore& store, const Clock& clock, size_t max_requests = kMaxRequests);

  // One that the store holds; while nothing else is at work. kStoreCorrupt when its id is there
  // already.
  Status Load(const RequestKey& key, int64_t create_time_us);

  // See Gallery::BeginRequest(). The ledger must outlive the ticket.
  StatusOr<RequestTicket> Begin(const RequestId& id, std::string_view fingerprint);

  // Adds to `change` what keeps the answer of `receipt` below `owner`; nothing without a ticket.
  template <typename Result>
  void Keep(const Receipt<Result>& receipt, const Result& result, const IdentityKey& owner,
            StoreChange& change) {
    if (receipt.ticket == nullptr) return;
    KeepAnswer(*receipt.ticket, receipt.answer(result), owner, change);
  }
  // Adds to `change`, which deletes an identity or a collection, that the requests below it are
  // kept without their answers.
  Status Bury(const IdentityKey& owner, StoreChange& change) const;
  Status Bury(uint64_t collection, StoreChange& change) const;
  // Adds to `change` that the requests below `owner` are kept below `heir`, with their answers.
  Status Move(const IdentityKey& owner, const IdentityKey& heir, StoreChange& change) const;

  // Writes `change` to the store, and keeps in mind what it says of requests. No other change of
  // the same owners may be at work.
  Status Write(StoreChange change);

 private:
  struct Known {
    IdentityKey owner;
    int64_t create_time_us = 0;
  };
  using KnownRequests = std::map<RequestId, Known>;
  using ByOwner = std::set<RequestKey>;
  using ByTime = std::set<std::pair<int64_t, RequestId>>;
  // Where a request will be remembered; made before the store is written, so that nothing can fail
  // after it.
  struct Place {
    KnownRequests::node_type known;
    ByOwner::node_type by_owner;
    ByTime::node_type by_time;
  };
  class AtWork;  // until it goes, the request counts as being at work

  void KeepAnswer(const RequestTicket& ticket, std::string answer, const IdentityKey& owner,
                  StoreChange& change) const;
  Status TakeTurn(const RequestId& id);
  // What the store holds of it; nothing when the id is new.
  StatusOr<std::optional<StoredRequest>> Read(const RequestId& id);
  void End(const RequestId& id);

  // A few of those that may be forgotten, which then count as being at work.
  std::vector<RequestKey> TakeOld();
  static std::vector<Place> PlacesFor(const StoreChange& change);
  void Remember(Place place) FACEGATE_REQUIRES(mutex_);
  void Forget(const RequestKey& key) FACEGATE_REQUIRES(mutex_);
  void ForgetBelow(const IdentityKey& from, const IdentityKey& until) FACEGATE_REQUIRES(mutex_);

  TemplateStore& store_;
  const Clock& clock_;
  const size_t max_requests_;

  Mutex mutex_;
  std::set<RequestId> at_work_ FACEGATE_GUARDED_BY(mutex_);
  // Changes that may move records; in the store they may be done already, in memory they are not.
  size_t writes_ FACEGATE_GUARDED_BY(mutex_) = 0;
  KnownRequests known_ FACEGATE_GUARDED_BY(mutex_);
  ByOwner by_owner_ FACEGATE_GUARDED_BY(mutex_);
  ByTime by_time_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace facegate
