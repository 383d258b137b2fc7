#include "index/request_ledger.h"

#include <algorithm>
#include <chrono>
#include <limits>
#include <utility>

#include "face/base/log.h"

namespace facegate {
namespace {

constexpr size_t kTakenAtOnce = 500;  // requests of one write of DoUpkeep()
constexpr std::chrono::hours kTimeIsKeptEvery{1};
constexpr std::chrono::milliseconds kTryAgainAfter{100};

constexpr IdentityKey kNobody{};

int64_t MicrosOf(std::chrono::steady_clock::duration time) {
  return std::chrono::duration_cast<std::chrono::microseconds>(time).count();
}

Status InProgress() {
  return WithRetryAfter(
      Refuse(Reason::kRequestInProgress, "another call with this request_id is still at work"),
      kTryAgainAfter);
}

Status WhatItWroteIsGone(Reason reason) {
  return Refuse(reason, "this request was made before, and what it wrote was deleted since");
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

// Requests that DoUpkeep() is at work on, for as long.
class RequestLedger::Taken {
 public:
  Taken(RequestLedger& ledger, std::vector<RequestKey> keys)
      : ledger_(ledger), keys_(std::move(keys)) {}
  ~Taken() {
    for (const RequestKey& key : keys_) ledger_.End(key.id);
  }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;

  const std::vector<RequestKey>& keys() const { return keys_; }

 private:
  RequestLedger& ledger_;
  const std::vector<RequestKey> keys_;
};

RequestLedger::RequestLedger(TemplateStore& store, const Clock& clock, size_t max_requests)
    : store_(store),
      clock_(clock),
      max_requests_(max_requests),
      start_us_(clock.UnixMicros()),
      start_(clock.Now()) {}

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

void RequestLedger::LoadDeleted(uint64_t collection) {
  const MutexLock lock(mutex_);
  deleted_collections_.insert(collection);
}

void RequestLedger::Loaded(std::optional<int64_t> stored_time_us) {
  const MutexLock lock(mutex_);
  stored_time_us_ = stored_time_us;
  std::optional<int64_t> last = stored_time_us;
  if (!by_time_.empty())
    last = std::max(last.value_or(std::numeric_limits<int64_t>::min()), by_time_.rbegin()->first);
  start_us_ = clock_.UnixMicros();
  if (last.has_value()) start_us_ = std::clamp(start_us_, *last, *last + MicrosOf(kLongestPause));
  start_ = clock_.Now();
}

int64_t RequestLedger::Now() const { return start_us_ + MicrosOf(clock_.Now() - start_); }

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
  FACEGATE_RETURN_IF_ERROR(CheckAnswered(*stored));
  ticket.answer = std::move(stored->answer);
  return ticket;
}

Status RequestLedger::CheckAnswered(const StoredRequest& stored) const {
  const IdentityKey& owner = stored.key.owner;
  if (IsDeleted(owner.collection) || (stored.erased && owner == kNobody)) {
    return WhatItWroteIsGone(Reason::kCollectionNotFound);
  }
  if (stored.outdated) {
    return Refuse(Reason::kAnswerErased,
                  "this request was made before, but its answer is no longer kept: a later change "
                  "has taken away what it told, or many others of the same identity came since");
  }
  return stored.erased ? WhatItWroteIsGone(Reason::kIdentityNotFound) : OkStatus();
}

bool RequestLedger::IsDeleted(uint64_t collection) const {
  const MutexLock lock(mutex_);
  return deleted_collections_.contains(collection);
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

Status RequestLedger::KeepAnswer(const RequestTicket& ticket, std::string answer,
                                 const IdentityKey& owner, StoreChange& change) const {
  if (owner.identity != 0) FACEGATE_RETURN_IF_ERROR(MakeRoomBelow(owner, change));
  change.requests.push_back({.key = {.owner = owner, .id = ticket.id},
                             .fingerprint = ticket.fingerprint,
                             .create_time_us = Now(),
                             .answer = std::move(answer),
                             .erased = false,
                             .outdated = false});
  return OkStatus();
}

Status RequestLedger::MakeRoomBelow(const IdentityKey& owner, StoreChange& change) const {
  const bool cleared = std::any_of(change.deleted_requests.begin(), change.deleted_requests.end(),
                                   [&](const RequestKey& key) { return key.owner == owner; });
  return cleared ? OkStatus() : KeepWithoutAnswers(OldestBeyondLimit(owner), true, change);
}

std::vector<RequestKey> RequestLedger::OldestBeyondLimit(const IdentityKey& owner) const {
  std::vector<std::pair<int64_t, RequestKey>> oldest;
  {
    const MutexLock lock(mutex_);
    const auto first = by_owner_.lower_bound({.owner = owner, .id = {}});
    size_t count = 1;  // the one that is to come
    for (auto next = first; next != by_owner_.end() && next->owner == owner; ++next) ++count;
    if (count <= kMaxRequestsOfIdentity) return {};
    for (auto next = first; next != by_owner_.end() && next->owner == owner; ++next) {
      oldest.emplace_back(known_.at(next->id).create_time_us, *next);
    }
  }
  std::sort(oldest.begin(), oldest.end());
  std::vector<RequestKey> keys;
  for (size_t i = 0; i + kMaxRequestsOfIdentity <= oldest.size(); ++i) {
    keys.push_back(oldest[i].second);
  }
  return keys;
}

Status RequestLedger::Bury(const IdentityKey& owner, StoreChange& change) const {
  return KeepWithoutAnswers(Below(owner), false, change);
}

Status RequestLedger::Outdate(const IdentityKey& owner, StoreChange& change) const {
  return KeepWithoutAnswers(Below(owner), true, change);
}

// They go one step up, so that no later change of the identity has to look at them again.
Status RequestLedger::KeepWithoutAnswers(const std::vector<RequestKey>& keys, bool outdated,
                                         StoreChange& change) const {
  for (const RequestKey& key : keys) {
    const IdentityKey above{.collection = key.owner.collection, .identity = 0};
    FACEGATE_ASSIGN_OR_RETURN(std::optional<StoredRequest> request, WithoutAnswer(key, above));
    if (!request.has_value()) continue;
    request->outdated = outdated;
    change.deleted_requests.push_back(key);
    change.requests.push_back(*std::move(request));
  }
  return OkStatus();
}

std::vector<RequestKey> RequestLedger::Below(const IdentityKey& owner) const {
  std::vector<RequestKey> below;
  const MutexLock lock(mutex_);
  for (auto next = by_owner_.lower_bound({.owner = owner, .id = {}});
       next != by_owner_.end() && next->owner == owner; ++next) {
    below.push_back(*next);
  }
  return below;
}

StatusOr<std::optional<StoredRequest>> RequestLedger::WithoutAnswer(
    const RequestKey& key, const IdentityKey& owner) const {
  FACEGATE_ASSIGN_OR_RETURN(std::optional<StoredRequest> request, store_.ReadRequest(key));
  if (!request.has_value()) return request;  // it is being forgotten
  request->key.owner = owner;
  request->answer.clear();
  request->erased = true;
  request->outdated = false;
  return request;
}

bool RequestLedger::HasBelow(uint64_t collection) const {
  const IdentityKey from{.collection = collection, .identity = 0};
  const auto first = by_owner_.lower_bound({.owner = from, .id = {}});
  return first != by_owner_.end() && first->owner.collection == collection;
}

void RequestLedger::BuryLater(uint64_t collection, StoreChange& change) const {
  const MutexLock lock(mutex_);
  if (!HasBelow(collection)) return;
  StoredCollection deleted;
  deleted.uid = collection;
  deleted.deleted = true;
  change.collections.push_back(std::move(deleted));
}

Status RequestLedger::Write(const StoreChange& change) {
  if (change.requests.empty() && change.deleted_requests.empty() && change.collections.empty()) {
    return store_.Write(change);
  }
  std::vector<Place> places = PlacesFor(change);
  {
    const MutexLock lock(mutex_);
    writes_ += 1;
  }
  Status written = store_.Write(change);
  const MutexLock lock(mutex_);
  writes_ -= 1;
  if (!written.ok()) return written;
  for (const RequestKey& key : change.deleted_requests) Forget(key);
  for (const StoredCollection& collection : change.collections) {
    if (collection.deleted) deleted_collections_.insert(collection.uid);
  }
  for (Place& place : places) Remember(std::move(place));
  return OkStatus();
}

Status RequestLedger::DoUpkeep() {
  FACEGATE_RETURN_IF_ERROR(KeepTime());
  return EraseAnswers();
}

Status RequestLedger::EraseAnswers(int rounds) {
  for (int i = 0; i < rounds; ++i) {
    FACEGATE_ASSIGN_OR_RETURN(const bool forgotten, ForgetSome());
    FACEGATE_ASSIGN_OR_RETURN(const bool buried, BurySome());
    if (!forgotten && !buried) break;
  }
  return OkStatus();
}

Status RequestLedger::KeepTime() {
  const int64_t now = Now();
  {
    const MutexLock lock(mutex_);
    if (stored_time_us_.has_value() && now - *stored_time_us_ < MicrosOf(kTimeIsKeptEvery)) {
      return OkStatus();
    }
  }
  StoreChange change;
  change.request_time_us = now;
  FACEGATE_RETURN_IF_ERROR(store_.Write(change));
  const MutexLock lock(mutex_);
  stored_time_us_ = now;
  return OkStatus();
}

StatusOr<bool> RequestLedger::ForgetSome() {
  const Taken taken(*this, TakeOld());
  if (taken.keys().empty()) return false;
  StoreChange change;
  change.deleted_requests = taken.keys();
  FACEGATE_RETURN_IF_ERROR(Write(change));
  return true;
}

StatusOr<bool> RequestLedger::BurySome() {
  std::optional<uint64_t> collection;
  {
    const MutexLock lock(mutex_);
    if (!deleted_collections_.empty()) collection = *deleted_collections_.begin();
  }
  if (!collection.has_value()) return false;
  const Taken taken(*this, TakeBelow(*collection));
  if (!taken.keys().empty()) {
    FACEGATE_RETURN_IF_ERROR(BuryAsOfNobody(taken.keys()));
    return true;
  }
  {
    const MutexLock lock(mutex_);
    if (HasBelow(*collection)) return false;  // a call is at work on it
  }
  StoreChange change;
  change.deleted_collections.push_back(*collection);
  FACEGATE_RETURN_IF_ERROR(store_.Write(change));
  const MutexLock lock(mutex_);
  deleted_collections_.erase(*collection);
  return true;
}

Status RequestLedger::BuryAsOfNobody(const std::vector<RequestKey>& keys) {
  StoreChange change;
  for (const RequestKey& key : keys) {
    FACEGATE_ASSIGN_OR_RETURN(std::optional<StoredRequest> request, WithoutAnswer(key, kNobody));
    if (!request.has_value())
      return Refuse(Reason::kStoreCorrupt, DescribeKey(key) + " is missing");
    change.deleted_requests.push_back(key);
    change.requests.push_back(*std::move(request));
  }
  return Write(change);
}

std::vector<RequestKey> RequestLedger::TakeOld() {
  const int64_t limit = Now() - MicrosOf(kRequestLifetime);
  std::vector<RequestKey> old;
  const MutexLock lock(mutex_);
  size_t left = known_.size();
  for (const auto& [create_time_us, id] : by_time_) {
    if (old.size() == kTakenAtOnce) break;
    if (create_time_us >= limit) {
      if (left <= max_requests_) break;
      if (!std::exchange(told_of_too_many_, true)) {
        LogWarning(
            "more than {} changes with a request_id came within {} hours: the oldest answers are "
            "forgotten early",
            max_requests_, kRequestLifetime.count());
      }
    }
    if (at_work_.contains(id)) continue;
    old.push_back({.owner = known_.at(id).owner, .id = id});
    left -= 1;
  }
  for (const RequestKey& key : old) at_work_.insert(key.id);
  return old;
}

std::vector<RequestKey> RequestLedger::TakeBelow(uint64_t collection) {
  std::vector<RequestKey> below;
  const IdentityKey from{.collection = collection, .identity = 0};
  const MutexLock lock(mutex_);
  for (auto next = by_owner_.lower_bound({.owner = from, .id = {}});
       next != by_owner_.end() && next->owner.collection == collection &&
       below.size() < kTakenAtOnce;
       ++next) {
    if (at_work_.insert(next->id).second) below.push_back(*next);
  }
  return below;
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

}  // namespace facegate
