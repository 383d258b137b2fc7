#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>

#include "face/base/status.h"
#include "index/key_codec.h"
#include "index/template_record.h"

namespace facegate {

// The durable truth: collections, identities and templates. Thread-safe.
//
// A write is one atomic batch; OK means that it survives a power loss, and writes of several
// threads share one sync. After an error the store holds what it held before; only when the disk
// itself failed, and the process ends before the store has recovered, may the next opening find the
// refused write done. Errors: kStoreFull when the disk is full, kStoreCorrupt for bytes that do not
// check, kFailedPrecondition for bytes of a later version, kInternal otherwise.
class TemplateStore {
 public:
  using CollectionVisitor = std::function<Status(StoredCollection)>;
  using IdentityVisitor = std::function<Status(StoredIdentity)>;
  using TemplateVisitor = std::function<Status(StoredTemplate)>;

  virtual ~TemplateStore() = default;

  // Each calls `visit` for every record in the order of keys, up to the first error, which names
  // the kind of record and its numbers. What only several records together can break (an owner that
  // is missing, a model that differs) is the caller's to check.
  virtual Status ReadCollections(const CollectionVisitor& visit) const = 0;
  virtual Status ReadIdentities(const IdentityVisitor& visit) const = 0;
  // Of the identities from `from` to before `until` (nullopt: to the end).
  virtual Status ReadTemplates(const IdentityKey& from, const std::optional<IdentityKey>& until,
                               const TemplateVisitor& visit) const = 0;

  // The first of `count` consecutive numbers that were never given out before and never will be
  // again, also after deletions, crashes and failed writes. They begin at 1.
  virtual StatusOr<uint64_t> ReserveUids(uint64_t count) = 0;

  virtual Status PutCollection(const StoredCollection& collection) = 0;
  // With all that is in it.
  virtual Status DeleteCollection(uint64_t uid) = 0;
  // Writes or overwrites the identity and adds `templates`, which are its own.
  virtual Status PutTemplates(const StoredIdentity& identity,
                              std::span<const StoredTemplate> templates) = 0;
  // With all its templates.
  virtual Status DeleteIdentity(const IdentityKey& key) = 0;
  // Overwrites the identity (its time of update) in the same batch.
  virtual Status DeleteTemplate(const StoredIdentity& identity, uint64_t template_id) = 0;

  // Rewrites the files, so that the bytes of what was deleted are in none of them; superseded files
  // are removed at the latest when the store is closed. Takes time and disk space in the measure of
  // the store; reads and writes go on meanwhile.
  virtual Status Compact() = 0;
};

struct TemplateStoreOptions {
  std::string directory;  // made where absent, readable by its owner alone
};

// A store in RocksDB, laid out as index/FORMAT.md says. kFailedPrecondition when another process
// (or this one) has it open, or when a later version wrote it.
StatusOr<std::unique_ptr<TemplateStore>> OpenTemplateStore(const TemplateStoreOptions& options);

}  // namespace facegate
