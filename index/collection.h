#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/clock.h"
#include "face/base/mutex.h"
#include "index/collection_state.h"
#include "index/gallery.h"
#include "index/template_record.h"
#include "index/template_store.h"

namespace facegate {

// One lock for many identities, picked by hash.
class IdentityLocks {
 public:
  Mutex& Of(uint64_t collection, std::string_view identity) {
    return locks_[(std::hash<std::string_view>()(identity) + collection) % locks_.size()];
  }

 private:
  std::array<Mutex, 256> locks_;
};

// What the collections of one gallery share; outlives them.
struct GalleryParts {
  TemplateStore& store;
  Clock& clock;
  IdentityLocks& identity_locks;
};

// One collection of an open gallery: its part of the store and, kept equal to it, its memory.
// Thread-safe. The calls are those of Gallery, with ids that have been checked. After Delete() all
// give kCollectionNotFound.
//
// Locks, in the order in which a thread takes them:
//   lifecycle_   shared by each call that changes something, over its write to the store; alone by
//                Delete(), which so comes before or after every such call
//   one of identity_locks: orders the changes of one identity, also over the write to the store
//   mutex_       memory; never held during a write to the store
// The first two are the exception to the rule that no disk call is made under a lock: changes that
// touch each other must come in one order in the store and in memory. No search waits for them, and
// changes of different identities are in the store together, where they share a sync.
class Collection {
 public:
  Collection(StoredCollection record, const GalleryParts& parts);

  const StoredCollection& record() const { return record_; }

  // Adds to memory what the store holds; used while nothing else is at work. kStoreCorrupt when the
  // identity is there already.
  Status Load(const StoredIdentity& identity, std::span<const StoredTemplate> templates);

  StatusOr<CollectionInfo> Info() const;
  Status Delete(bool force);

  StatusOr<EnrolResult> Enrol(std::string_view identity, std::span<const NewTemplate> templates,
                              const EnrolOptions& options);
  StatusOr<IdentityInfo> GetIdentity(std::string_view identity) const;
  StatusOr<Page<IdentityInfo>> ListIdentities(std::string_view after, size_t limit) const;
  StatusOr<uint64_t> DeleteIdentity(std::string_view identity);

  StatusOr<std::vector<TemplateInfo>> ListTemplates(std::string_view identity, uint64_t after,
                                                    size_t limit) const;
  StatusOr<Embedding> GetEmbedding(std::string_view identity, uint64_t template_id) const;
  Status DeleteTemplate(std::string_view identity, uint64_t template_id);

  StatusOr<std::vector<Candidate>> Search(const Embedding& query, size_t k) const;
  StatusOr<Candidate> Score(std::string_view identity, const Embedding& query) const;

 private:
  // An enrolment as it goes to the store.
  struct Plan {
    StoredIdentity identity;
    std::vector<StoredTemplate> added;
    bool is_new = false;
  };
  StatusOr<Plan> PlanEnrolment(std::string_view identity, std::span<const NewTemplate> templates,
                               const EnrolOptions& options);
  StatusOr<CollectionState::Reservation> MakeRoom(size_t rows);

  Status CheckPresent() const FACEGATE_REQUIRES_SHARED(mutex_);
  StatusOr<const IdentityEntry*> Find(std::string_view identity) const
      FACEGATE_REQUIRES_SHARED(mutex_);

  const StoredCollection record_;
  const GalleryParts parts_;

  SharedMutex lifecycle_;

  mutable SharedMutex mutex_;
  CollectionState state_ FACEGATE_GUARDED_BY(mutex_);
  bool deleted_ FACEGATE_GUARDED_BY(mutex_) = false;
};

// By id. Shared with the calls that are at work on one, which may end after its deletion.
using Collections = std::map<std::string, std::shared_ptr<Collection>, std::less<>>;

}  // namespace facegate
