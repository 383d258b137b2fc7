#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <utility>

#include "face/base/mutex.h"
#include "index/store/template_store.h"

namespace facegate {

// A store that can be told to fail, or to stop and think before it writes.
class FaultyStore final : public TemplateStore {
 public:
  explicit FaultyStore(std::unique_ptr<TemplateStore> inner) : inner_(std::move(inner)) {}

  // The next write (a reservation of numbers included) fails so and writes nothing.
  void FailNextWrite(Status status) {
    const MutexLock lock(mutex_);
    failure_ = std::move(status);
  }
  // Runs on the writing thread before each write but a reservation of numbers; set while no other
  // call is at work.
  void SetBeforeWrite(std::function<void()> hook) { before_write_ = std::move(hook); }
  // The same after each write that succeeded.
  void SetAfterWrite(std::function<void()> hook) { after_write_ = std::move(hook); }

  // Takes the place of Compact(); set while no other call is at work.
  void SetCompact(std::function<Status(std::atomic<bool>*)> compact) {
    compact_ = std::move(compact);
  }
  // Sets what bytes_to_compact() says; called while no other call is at work.
  void SetBytesToCompact(uint64_t bytes) { bytes_to_compact_ = bytes; }

  Status ReadCollections(const CollectionVisitor& visit) const override {
    return inner_->ReadCollections(visit);
  }
  Status ReadIdentities(const IdentityVisitor& visit) const override {
    return inner_->ReadIdentities(visit);
  }
  Status ReadTemplates(const IdentityKey& from, const std::optional<IdentityKey>& until,
                       const TemplateVisitor& visit) const override {
    return inner_->ReadTemplates(from, until, visit);
  }
  Status ReadRequests(const IdentityKey& from, const std::optional<IdentityKey>& until,
                      const RequestVisitor& visit) const override {
    return inner_->ReadRequests(from, until, visit);
  }
  StatusOr<std::optional<StoredRequest>> ReadRequest(const RequestKey& key) const override {
    return inner_->ReadRequest(key);
  }
  StatusOr<std::optional<int64_t>> ReadRequestTime() const override {
    return inner_->ReadRequestTime();
  }
  StatusOr<uint64_t> ReserveUids(uint64_t count) override {
    FACEGATE_RETURN_IF_ERROR(TakeFailure());
    return inner_->ReserveUids(count);
  }
  Status Write(const StoreChange& change) override {
    if (before_write_) before_write_();
    FACEGATE_RETURN_IF_ERROR(TakeFailure());
    FACEGATE_RETURN_IF_ERROR(inner_->Write(change));
    if (after_write_) after_write_();
    return OkStatus();
  }
  Status Compact(std::atomic<bool>* canceled) override {
    return compact_ ? compact_(canceled) : inner_->Compact(canceled);
  }
  uint64_t bytes_to_compact() const override {
    return bytes_to_compact_.value_or(inner_->bytes_to_compact());
  }
  bool erase_pending() const override { return inner_->erase_pending(); }
  Status WriteHealth() const override { return inner_->WriteHealth(); }
  void TryToRecover() override { inner_->TryToRecover(); }

 private:
  std::function<Status(std::atomic<bool>*)> compact_;
  std::optional<uint64_t> bytes_to_compact_;

  Status TakeFailure() {
    const MutexLock lock(mutex_);
    return std::exchange(failure_, OkStatus());
  }

  const std::unique_ptr<TemplateStore> inner_;
  std::function<void()> before_write_;
  std::function<void()> after_write_;
  Mutex mutex_;
  Status failure_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace facegate
