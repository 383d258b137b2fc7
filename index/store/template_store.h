#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "index/store/key_codec.h"
#include "index/store/store_change.h"
#include "index/store/template_record.h"

namespace facegate {

// The durable truth: collections, identities and templates. Thread-safe.
//
// A write is one atomic batch; OK means that it survives a power loss, and writes of several
// threads share one sync. After an error the store holds what it held before; only when the disk
// itself failed, and the process ends before the store has recovered, may the next opening find the
// refused write done. Errors: kStoreFull when the disk is full (a change that only takes away is
// taken as long as the room lasts that is kept for it, see DiskRoom), kStoreCorrupt for bytes that
// do not check, kFailedPrecondition for bytes of a later version, kInternal otherwise.
class TemplateStore {
 public:
  using CollectionVisitor = std::function<Status(StoredCollection)>;
  using IdentityVisitor = std::function<Status(StoredIdentity)>;
  using TemplateVisitor = std::function<Status(StoredTemplate)>;
  using RequestVisitor = std::function<Status(StoredRequest)>;

  virtual ~TemplateStore() = default;

  // Each calls `visit` for every record in the order of keys, up to the first error, which names
  // the kind of record and its numbers. What only several records together can break (an owner that
  // is missing, a model that differs) is the caller's to check.
  virtual Status ReadCollections(const CollectionVisitor& visit) const = 0;
  virtual Status ReadIdentities(const IdentityVisitor& visit) const = 0;
  // Reads those of the identities from `from` to before `until` (nullopt: to the end), of all
  // generations: those of an identity in the order of generation and number.
  virtual Status ReadTemplates(const IdentityKey& from, const std::optional<IdentityKey>& until,
                               const TemplateVisitor& visit) const = 0;

  // Reads those of the owners from `from` to before `until` (nullopt: to the end).
  virtual Status ReadRequests(const IdentityKey& from, const std::optional<IdentityKey>& until,
                              const RequestVisitor& visit) const = 0;
  // Nothing when there is none.
  virtual StatusOr<std::optional<StoredRequest>> ReadRequest(const RequestKey& key) const = 0;
  // StoreChange::request_time_us of the last write that had one.
  virtual StatusOr<std::optional<int64_t>> ReadRequestTime() const = 0;

  // The first of `count` consecutive numbers that were never given out before and never will be
  // again, also after deletions, crashes and failed writes. They begin at 1.
  virtual StatusOr<uint64_t> ReserveUids(uint64_t count) = 0;

  // All of `change` or nothing.
  virtual Status Write(const StoreChange& change) = 0;

  // Rewrites the files, so that the bytes of what was deleted or overwritten are in none of them;
  // superseded files are removed at the latest when the store is closed. Takes time in the measure
  // of what lies around those places, at worst of the store; reads and writes go on meanwhile.
  // kUnavailable, with the work still to be done, soon after `canceled` became true.
  virtual Status Compact(std::atomic<bool>* canceled = nullptr) = 0;
  // True where something was deleted or overwritten that no Compact() has erased from the files
  // yet, also before the store was opened.
  virtual bool erase_pending() const = 0;
  // About how many bytes Compact() would write now.
  virtual uint64_t bytes_to_compact() const = 0;

  // See Gallery::WriteHealth().
  virtual Status WriteHealth() const = 0;
  // Makes a store whose WriteHealth() is not OK go on, where that can be; to be called now and
  // then.
  virtual void TryToRecover() = 0;
};

struct TemplateStoreOptions {
  std::string directory;  // made where absent, readable by its owner alone
  // Called once for each change of WriteHealth(), from any thread; must not block.
  std::function<void(const Status&)> on_write_health = {};
};

// A store in RocksDB, laid out as index/store/FORMAT.md says. One of an earlier format is taken
// over first, which takes time in the measure of its templates and as much room as they have
// (kStoreFull); what a process that was killed had not done yet, the next one does.
// kFailedPrecondition when another process (or this one) has it open, or when a later version
// wrote it.
StatusOr<std::unique_ptr<TemplateStore>> OpenTemplateStore(const TemplateStoreOptions& options);

}  // namespace facegate
