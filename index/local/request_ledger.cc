#include "index/local/request_ledger.h"

#include <algorithm>
#include <chrono>
#include <utility>

#include "face/base/log.h"
#include "index/store/corrupt.h"

namespace facegate {
namespace {

constexpr size_t kTakenAtOnce = 500;  // requests of one NextWork()
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
  ~AtWork() {
    if (has_turn_) ledger_.End(id_);
  }
  AtWork(const AtWork&) = delete;
  AtWork& operator=(const AtWork&) = delete;

  Status TakeTurn() {
    FACEGATE_RETURN_IF_ERROR(ledger_.TakeTurn(id_));
    has_turn_ = true;
    return OkStatus();
  }

 private:
  RequestLedger& ledger_;
  const RequestId id_;
  bool has_turn_ = false;
};

// Requests that NextWork() has taken, for as long as nobody else may.
class RequestLedger::Taken {
 public:
  explicit Taken(RequestLedger& ledger) : ledger_(ledger) { keys_.reserve(kTakenAtOnce); }
  ~Taken() {
    for (const RequestKey& key : keys_) ledger_.End(key.id);
  }
  Taken(const Taken&) = delete;
  Taken& operator=(const Taken&) = delete;

  bool full() const { return keys_.size() == kTakenAtOnce; }
  // While it is not full: one that counts as being at work. Cannot fail.
  void Add(const RequestKey& key) { keys_.push_back(key); }
  const std::vector<RequestKey>& keys() const { return keys_; }

 private:
  RequestLedger& ledger_;
  std::vector<RequestKey> keys_;
};

RequestLedger::RequestLedger(TemplateStore& store, const Clock& clock, size_t max_requests)
    : store_(store),
      clock_(clock),
      max_requests_(max_requests),
      start_us_(clock.UnixMicros()),
      start_(clock.Now()) {}

Status RequestLedger::Load(const RequestKey& key, int64_t create_time_us) {
  const MutexLock lock(mutex_);
  if (known_.Add(key, create_time_us)) return OkStatus();
  return Corrupt(DescribeKey(key) + ": its id is given twice");
}

void RequestLedger::LoadDeleted(uint64_t collection) {
  const MutexLock lock(mutex_);
  deleted_collections_.insert(collection);
}

void RequestLedger::Loaded(std::optional<int64_t> stored_time_us) {
  const MutexLock lock(mutex_);
  stored_time_us_ = stored_time_us;
  std::optional<int64_t> last = stored_time_us;
  if (known_.size() > 0) {
    const int64_t latest = known_.by_age().rbegin()->first;
    last = std::max(last.value_or(latest), latest);
  }
  start_us_ = clock_.UnixMicros();
  if (last.has_value()) start_us_ = std::clamp(start_us_, *last, *last + MicrosOf(kLongestPause));
  start_ = clock_.Now();
}

int64_t RequestLedger::Now() const { return start_us_ + MicrosOf(clock_.Now() - start_); }

StatusOr<RequestTicket> RequestLedger::Begin(const RequestId& id, std::string_view fingerprint) {
  auto at_work = std::make_shared<AtWork>(*this, id);
  FACEGATE_RETURN_IF_ERROR(at_work->TakeTurn());
  RequestTicket ticket{.id = id,
                       .fingerprint = std::string(fingerprint),
                       .answer = std::nullopt,
                       .in_progress = std::move(at_work)};
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
    const std::optional<IdentityKey> owner = known_.OwnerOf(id);
    if (!owner.has_value()) return std::optional<StoredRequest>();
    key.owner = *owner;
    writing = writes_ > 0;
  }
  FACEGATE_ASSIGN_OR_RETURN(auto stored, store_.ReadRequest(key));
  if (stored.has_value()) return stored;
  // A change that began before or meanwhile has moved it, or it is missing.
  const MutexLock lock(mutex_);
  const bool moved = known_.OwnerOf(id) != key.owner;
  if (writing || moved || writes_ > 0) return InProgress();
  return Corrupt(DescribeKey(key) + " is missing");
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
  if (cleared) return OkStatus();
  std::vector<RequestKey> oldest;
  {
    const MutexLock lock(mutex_);
    oldest = known_.OldestBelow(owner, kMaxRequestsOfIdentity - 1);
  }
  return KeepWithoutAnswers(oldest, true, change);
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
  const MutexLock lock(mutex_);
  const KnownRequests::Keys below = known_.Below(owner);
  return {below.begin(), below.end()};
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

void RequestLedger::BuryLater(uint64_t collection, StoreChange& change) const {
  const MutexLock lock(mutex_);
  if (known_.Below(collection).empty()) return;
  StoredCollection deleted;
  deleted.uid = collection;
  deleted.deleted = true;
  change.collections.push_back(std::move(deleted));
}

RequestLedger::Writing::Writing(RequestLedger& ledger, const StoreChange& change)
    : ledger_(ledger),
      change_(change),
      places_(KnownRequests::PlacesFor(change)),
      moves_(!change.requests.empty() || !change.deleted_requests.empty() ||
             !change.collections.empty()) {
  for (const StoredCollection& collection : change.collections) {
    if (collection.deleted) deleted_collections_.insert(collection.uid);
  }
  const MutexLock lock(ledger_.mutex_);
  ledger_.writes_ += moves_ ? 1 : 0;
}

RequestLedger::Writing::~Writing() {
  const MutexLock lock(ledger_.mutex_);
  ledger_.writes_ -= moves_ ? 1 : 0;
}

void RequestLedger::Writing::Done() {
  const MutexLock lock(ledger_.mutex_);
  for (const RequestKey& key : change_.deleted_requests) ledger_.known_.Forget(key);
  // A deletion names the collection in both, and leaves it to be buried.
  for (const uint64_t gone : change_.deleted_collections) ledger_.deleted_collections_.erase(gone);
  ledger_.deleted_collections_.merge(deleted_collections_);
  for (KnownRequests::Place& place : places_) ledger_.known_.Remember(std::move(place));
  if (change_.request_time_us.has_value()) ledger_.stored_time_us_ = change_.request_time_us;
}

std::optional<StoreChange> RequestLedger::TimeToKeep() const {
  const int64_t now = Now();
  const MutexLock lock(mutex_);
  if (stored_time_us_.has_value() && now - *stored_time_us_ < MicrosOf(kTimeIsKeptEvery)) {
    return std::nullopt;
  }
  StoreChange change;
  change.request_time_us = now;
  return change;
}

StatusOr<std::optional<LedgerWork>> RequestLedger::NextWork() {
  const std::shared_ptr<Taken> old = TakeOld();
  if (old->keys().empty()) return BurySome();
  LedgerWork work{.change = {}, .at_work = old};
  work.change.deleted_requests = old->keys();
  return std::optional<LedgerWork>(std::move(work));
}

StatusOr<std::optional<LedgerWork>> RequestLedger::BurySome() {
  std::optional<uint64_t> collection;
  {
    const MutexLock lock(mutex_);
    if (!deleted_collections_.empty()) collection = *deleted_collections_.begin();
  }
  if (!collection.has_value()) return std::optional<LedgerWork>();
  const std::shared_ptr<Taken> below = TakeBelow(*collection);
  LedgerWork work{.change = {}, .at_work = below};
  if (!below->keys().empty()) {
    FACEGATE_ASSIGN_OR_RETURN(work.change, BuryAsOfNobody(below->keys()));
    return std::optional<LedgerWork>(std::move(work));
  }
  {
    const MutexLock lock(mutex_);
    // A call is at work on one.
    if (!known_.Below(*collection).empty()) return std::optional<LedgerWork>();
  }
  work.change.deleted_collections.push_back(*collection);
  return std::optional<LedgerWork>(std::move(work));
}

StatusOr<StoreChange> RequestLedger::BuryAsOfNobody(const std::vector<RequestKey>& keys) const {
  StoreChange change;
  for (const RequestKey& key : keys) {
    FACEGATE_ASSIGN_OR_RETURN(std::optional<StoredRequest> request, WithoutAnswer(key, kNobody));
    if (!request.has_value()) return Corrupt(DescribeKey(key) + " is missing");
    change.deleted_requests.push_back(key);
    change.requests.push_back(*std::move(request));
  }
  return change;
}

std::shared_ptr<RequestLedger::Taken> RequestLedger::TakeOld() {
  const int64_t limit = Now() - MicrosOf(kRequestLifetime);
  auto old = std::make_shared<Taken>(*this);
  const MutexLock lock(mutex_);
  size_t left = known_.size();
  for (const auto& [create_time_us, id] : known_.by_age()) {
    if (old->full()) break;
    if (create_time_us >= limit) {
      if (left <= max_requests_) break;
      if (!std::exchange(told_of_too_many_, true)) {
        LogWarning(
            "more than {} changes with a request_id came within {} hours: the oldest answers are "
            "forgotten early",
            max_requests_, kRequestLifetime.count());
      }
    }
    if (!at_work_.insert(id).second) continue;
    old->Add({.owner = known_.OwnerOf(id).value(), .id = id});
    left -= 1;
  }
  return old;
}

std::shared_ptr<RequestLedger::Taken> RequestLedger::TakeBelow(uint64_t collection) {
  auto below = std::make_shared<Taken>(*this);
  const MutexLock lock(mutex_);
  for (const RequestKey& key : known_.Below(collection)) {
    if (below->full()) break;
    if (at_work_.insert(key.id).second) below->Add(key);
  }
  return below;
}

}  // namespace facegate
