#include "index/request_ledger.h"

#include <algorithm>
#include <chrono>

#include "face/base/check.h"

namespace facegate {
namespace {

// Old requests that go with one write.
constexpr size_t kForgottenAtOnce = 4;
constexpr std::chrono::milliseconds kTryAgainAfter{100};

constexpr IdentityKey kNobody{};

int64_t MicrosOf(std::chrono::microseconds time) { return time.count(); }

Status InProgress() {
  return WithRetryAfter(
      Refuse(Reason::kRequestInProgress, "another call with this request_id is still at work"),
      kTryAgainAfter);
}

}  // namespace

class RequestLedger::AtWork {
 public:
  AtWork(RequestLedger& ledger, const RequestId& id) : ledger_(ledger), id_(id) {}
  ~AtWork() { ledger_.End(id_); }
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;

 private:
  RequestLedger& ledger_;
  const RequestId id_;
};

RequestLedger::RequestLedger(TemplateStore& store, const Clock& clock, size_t max_requests)
    : store_(store), clock_(clock), max_requests_(max_requests) {}

Status RequestLedger::Load(const RequestKey& key, int64_t create_time_us) {
  const MutexLock lock(mutex_);
  const Known known{.owner = key.owner, .create_time_us = create_time_us};
  if (!known_.emplace(key.id, known).second) {
    return Refuse(Reason::kStoreCorrupt, DescribeKey(key) + ": its id is given twice");
  }
  by_owner_.insert(key);
  by_time_.emplace(create_time_us, key.id);
  return OkStatus();
}

StatusOr<RequestTicket> RequestLedger::Begin(const RequestId& id, std::string_view fingerprint) {
  FACEGATE_RETURN_IF_ERROR(TakeTurn(id));
  RequestTicket ticket{.id = id,
                       .fingerprint = std::string(fingerprint),
                       .answer = std::nullopt,
                       .in_progress = std::make_shared<AtWork>(*this, id)};
  FACEGATE_ASSIGN_OR_RETURN(std::optional<StoredRequest> stored, Read(id));
  if (!stored.has_value()) return ticket;
  if (stored->fingerprint != ticket.fingerprint) {
    return Refuse(Reason::kRequestIdReused,
                  "this request_id was used for another request; each change needs one of its own");
  }
  if (stored->erased) {
    const bool whole = stored->key.owner == kNobody;
    return Refuse(whole ? Reason::kCollectionNotFound : Reason::kIdentityNotFound,
                  "this request was made before, and what it wrote was deleted since");
  }
  ticket.answer = std::move(stored->answer);
  return ticket;
}

Status RequestLedger::TakeTurn(const RequestId& id) {
  const MutexLock lock(mutex_);
  return at_work_.insert(id).second ? OkStatus() : InProgress();
}

StatusOr<std::optional<StoredRequest>> RequestLedger::Read(const RequestId& id) {
  RequestKey key{.owner = {}, .id = id};
  bool writing = false;
  {
    const MutexLock lock(mutex_);
    const auto known = known_.find(id);
    if (known == known_.end()) return std::optional<StoredRequest>();
    key.owner = known->second.owner;
    writing = writes_ > 0;
  }
  FACEGATE_ASSIGN_OR_RETURN(auto stored, store_.ReadRequest(key));
  if (stored.has_value()) return stored;
  // A change that began before or meanwhile has moved it, or it is missing.
  const MutexLock lock(mutex_);
  const auto known = known_.find(id);
  const bool moved = known == known_.end() || known->second.owner != key.owner;
  if (writing || moved || writes_ > 0) return InProgress();
  return Refuse(Reason::kStoreCorrupt, DescribeKey(key) + " is missing");
}

void RequestLedger::End(const RequestId& id) {
  const MutexLock lock(mutex_);
  at_work_.erase(id);
}

void RequestLedger::KeepAnswer(const RequestTicket& ticket, std::string answer,
                               const IdentityKey& owner, StoreChange& change) const {
  change.requests.push_back({.key = {.owner = owner, .id = ticket.id},
                             .fingerprint = ticket.fingerprint,
                             .create_time_us = clock_.UnixMicros(),
                             .answer = std::move(answer),
                             .erased = false});
}

Status RequestLedger::Bury(const IdentityKey& owner, StoreChange& change) const {
  const IdentityKey until{.collection = owner.collection, .identity = owner.identity + 1};
  return store_.ReadRequests(owner, until, [&](StoredRequest request) {
    request.key.owner = {.collection = owner.collection, .identity = 0};
    request.answer.clear();
    request.erased = true;
    change.requests.push_back(std::move(request));
    return OkStatus();
  });
}

Status RequestLedger::Bury(uint64_t collection, StoreChange& change) const {
  const IdentityKey from{.collection = collection, .identity = 0};
  const IdentityKey until{.collection = collection + 1, .identity = 0};
  return store_.ReadRequests(from, until, [&](StoredRequest request) {
    request.key.owner = kNobody;
    request.answer.clear();
    request.erased = true;
    change.requests.push_back(std::move(request));
    return OkStatus();
  });
}

Status RequestLedger::Move(const IdentityKey& owner, const IdentityKey& heir,
                           StoreChange& change) const {
  const IdentityKey until{.collection = owner.collection, .identity = owner.identity + 1};
  return store_.ReadRequests(owner, until, [&](StoredRequest request) {
    request.key.owner = heir;
    change.requests.push_back(std::move(request));
    return OkStatus();
  });
}

Status RequestLedger::Write(StoreChange change) {
  if (change.requests.empty() && change.deleted_collections.empty() &&
      change.deleted_identities.empty()) {
    return store_.Write(change);
  }
  const std::vector<RequestKey> old = TakeOld();
  change.deleted_requests.insert(change.deleted_requests.end(), old.begin(), old.end());
  std::vector<Place> places = PlacesFor(change);
  {
    const MutexLock lock(mutex_);
    writes_ += 1;
  }
  Status written = store_.Write(change);
  const MutexLock lock(mutex_);
  writes_ -= 1;
  for (const RequestKey& key : old) at_work_.erase(key.id);
  if (!written.ok()) return written;
  for (const uint64_t uid : change.deleted_collections) {
    ForgetBelow({.collection = uid, .identity = 0}, {.collection = uid + 1, .identity = 0});
  }
  for (const IdentityKey& key : change.deleted_identities) {
    ForgetBelow(key, {.collection = key.collection, .identity = key.identity + 1});
  }
  for (const RequestKey& key : change.deleted_requests) Forget(key);
  for (Place& place : places) Remember(std::move(place));
  return OkStatus();
}

std::vector<RequestKey> RequestLedger::TakeOld() {
  const int64_t limit = clock_.UnixMicros() - MicrosOf(kRequestLifetime);
  std::vector<RequestKey> old;
  const MutexLock lock(mutex_);
  size_t left = known_.size();
  for (const auto& [create_time_us, id] : by_time_) {
    if (old.size() == kForgottenAtOnce) break;
    if (create_time_us >= limit && left <= max_requests_) break;
    if (at_work_.contains(id)) continue;
    old.push_back({.owner = known_.at(id).owner, .id = id});
    left -= 1;
  }
  for (const RequestKey& key : old) at_work_.insert(key.id);
  return old;
}

std::vector<RequestLedger::Place> RequestLedger::PlacesFor(const StoreChange& change) {
  std::vector<Place> places;
  places.reserve(change.requests.size());
  for (const StoredRequest& request : change.requests) {
    KnownRequests known;
    known.emplace(request.key.id,
                  Known{.owner = request.key.owner, .create_time_us = request.create_time_us});
    ByOwner by_owner{request.key};
    ByTime by_time{{request.create_time_us, request.key.id}};
    places.push_back({.known = known.extract(known.begin()),
                      .by_owner = by_owner.extract(by_owner.begin()),
                      .by_time = by_time.extract(by_time.begin())});
  }
  return places;
}

void RequestLedger::Remember(Place place) {
  if (const auto known = known_.find(place.known.key()); known != known_.end()) {
    Forget({.owner = known->second.owner, .id = known->first});
  }
  known_.insert(std::move(place.known));
  by_owner_.insert(std::move(place.by_owner));
  by_time_.insert(std::move(place.by_time));
}

void RequestLedger::Forget(const RequestKey& key) {
  const auto known = known_.find(key.id);
  if (known == known_.end() || known->second.owner != key.owner) return;
  by_time_.erase({known->second.create_time_us, key.id});
  by_owner_.erase(key);
  known_.erase(known);
}

void RequestLedger::ForgetBelow(const IdentityKey& from, const IdentityKey& until) {
  const RequestKey end{.owner = until, .id = {}};
  for (auto next = by_owner_.lower_bound({.owner = from, .id = {}});
       next != by_owner_.end() && *next < end;) {
    const RequestKey key = *next++;
    Forget(key);
  }
}

}  // namespace facegate
