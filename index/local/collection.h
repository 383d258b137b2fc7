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
#include "index/gallery.h"
#include "index/local/collection_state.h"
#include "index/local/pending_faces.h"
#include "index/local/request_ledger.h"
#include "index/local/search_parts.h"
#include "index/local/store_writer.h"
#include "index/rows/self_comparison.h"
#include "index/store/template_record.h"
#include "index/store/template_store.h"

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

// The locks of two identities, which may be one; taken in one order by all.
class TwoIdentitiesLock {
 public:
  TwoIdentitiesLock(Mutex& one, Mutex& other) FACEGATE_NO_THREAD_SAFETY_ANALYSIS
      : first_(std::less<Mutex*>()(&one, &other) ? one : other),
        second_(&one == &other ? nullptr : (&first_ == &one ? &other : &one)) {
    first_.Lock();
    if (second_ != nullptr) second_->Lock();
  }
  ~TwoIdentitiesLock() FACEGATE_NO_THREAD_SAFETY_ANALYSIS {
    if (second_ != nullptr) second_->Unlock();
    first_.Unlock();
  }
  TwoIdentitiesLock(const TwoIdentitiesLock&) = delete;
  TwoIdentitiesLock& operator=(const TwoIdentitiesLock&) = delete;

 private:
  Mutex& first_;
  Mutex* const second_;
};

// The parts of a gallery that its collections share; they outlive the collections.
struct GalleryParts {
  TemplateStore& store;
  RequestLedger& ledger;
  StoreWriter& writer;
  Clock& clock;
  IdentityLocks& identity_locks;
  SearchParts search;
};

// One collection of an open gallery: its part of the store and, kept equal to it, its memory.
// Thread-safe. The calls are those of Gallery, with ids that have been checked. After Delete() all
// give kCollectionNotFound.
//
// Locks, in the order in which a thread takes them:
//   lifecycle_      is held shared by each call that changes something, over its write to the
//                   store, and alone by Delete() and by a change of how scores are made, which so
//                   come before or after every such call
//   identity_locks  (one or two of them) order the changes of an identity, and that of "" orders
//                   the changes of the settings; held over the write to the store
//   pending_        gives the faces of an enrolment their place, which is held over the write to
//                   the store
//   mutex_          guards the memory and is never held during a write to the store
// The first two are the exception to the rule that no disk call is made under a lock: changes that
// touch each other must come in one order in the store and in memory. No search waits for them, and
// changes of different identities are in the store together, where they share a sync.
class Collection {
 public:
  Collection(StoredCollection record, const GalleryParts& parts);

  // The collection as it was made or loaded: its settings may have changed since, the rest never
  // does.
  const StoredCollection& record() const { return record_; }

  // Adds to memory what the store holds; used while nothing else is at work. kStoreCorrupt when the
  // identity is there already.
  Status Load(const StoredIdentity& identity, std::span<const StoredTemplate> templates);
  // Searches go as the settings say from now on; before, all is scanned. Called once, when all is
  // loaded, so that finders are told of the rows together. Without memory for finders all is
  // scanned, and the log tells.
  void BeginSearches();

  StatusOr<CollectionInfo> Info() const;
  // Adds it to `stats`, unless it was deleted.
  void CountInto(GalleryStats& stats) const;
  StatusOr<CollectionInfo> Update(const CollectionChange& change, std::string_view etag,
                                  const Receipt<CollectionInfo>& receipt, const StopCheck& stop);
  Status Delete(bool force, const Receipt<Deleted>& receipt, const StopCheck& stop);

  StatusOr<EnrolResult> Enrol(std::string_view identity, std::span<const NewTemplate> templates,
                              const EnrolOptions& options, const Receipt<EnrolResult>& receipt,
                              const StopCheck& stop);
  StatusOr<IdentityInfo> GetIdentity(std::string_view identity) const;
  StatusOr<Page<IdentityInfo>> ListIdentities(std::string_view after, size_t limit) const;
  StatusOr<IdentityInfo> UpdateLabels(std::string_view identity, const LabelChange& change,
                                      std::string_view etag, const Receipt<IdentityInfo>& receipt,
                                      const StopCheck& stop);
  StatusOr<IdentityInfo> RenameIdentity(std::string_view identity, std::string_view new_id,
                                        std::string_view etag, const Receipt<IdentityInfo>& receipt,
                                        const StopCheck& stop);
  StatusOr<MergeResult> MergeIdentities(const MergedIdentity& source, const MergedIdentity& target,
                                        const Receipt<MergeResult>& receipt, const StopCheck& stop);
  StatusOr<uint64_t> DeleteIdentity(std::string_view identity, std::string_view etag,
                                    const Receipt<uint64_t>& receipt, const StopCheck& stop);

  StatusOr<std::vector<TemplateInfo>> ListTemplates(std::string_view identity, uint64_t after,
                                                    size_t limit) const;
  StatusOr<Embedding> GetEmbedding(std::string_view identity, uint64_t template_id) const;
  Status DeleteTemplate(std::string_view identity, uint64_t template_id,
                        const Receipt<Deleted>& receipt, const StopCheck& stop);

  StatusOr<std::vector<std::vector<Candidate>>> Search(std::span<const Embedding> queries,
                                                       const SearchOptions& options,
                                                       const StopCheck& stop) const;
  StatusOr<Candidate> Score(std::string_view identity, const Embedding& query,
                            const StopCheck& stop) const;
  Status CompareIdentities(const SelfComparison& comparison, ScoreSink& sink,
                           const StopCheck& stop) const;

  // Gives back memory of what was removed, where that is a share of `least_removed` or more of what
  // lies around it, or went before the mark `removed_until` (index/rows/row_table.h): some of it in
  // a call; false when there is nothing left to do. Searches and changes go on meanwhile. One call
  // at a time.
  StatusOr<bool> MoveRows(double least_removed, uint64_t removed_until);

 private:
  // An enrolment as it goes to the store: one identity, and what is added to it.
  struct Plan {
    StoreChange change;
    bool is_new = false;
    const StoredIdentity& identity() const { return change.identities.front(); }
    const std::vector<StoredTemplate>& added() const { return change.templates; }
  };
  // A merge as it goes to the store and to memory.
  struct MergePlan {
    StoreChange change;
    IdentityEntry merged;
    MergeResult result;
  };
  StatusOr<Plan> PlanEnrolment(std::string_view identity, std::span<const NewTemplate> templates,
                               const EnrolOptions& options);
  StatusOr<PendingFaces::Place> EnterPending(std::string_view identity,
                                             std::span<const NewTemplate> templates,
                                             const EnrolOptions& options, const StopCheck& stop);
  // The guards of an enrolment; the identity's lock is held, and the faces have their place among
  // the pending ones.
  Status CheckConsistent(std::string_view identity, std::span<const NewTemplate> templates,
                         float from) const;
  Status CheckUnique(std::string_view identity, std::span<const NewTemplate> templates, float from,
                     const StopCheck& stop) const;
  StatusOr<CollectionState::Reservation> MakeRoom(size_t rows);

  // Null where the scores have none.
  StatusOr<std::shared_ptr<const Cohort>> CurrentCohort(const StopCheck& stop) const;
  class Searching;  // collection_search.cc

  StatusOr<CollectionInfo> ApplyChange(const CollectionChange& change, std::string_view etag,
                                       const Receipt<CollectionInfo>& receipt,
                                       const StopCheck& stop);

  // Puts `record` in the place of what is known of `identity`, whose lock is held.
  // `takes_away`: something of it must leave the files.
  Status Overwrite(std::string_view identity, StoredIdentity record, bool takes_away,
                   const IdentityInfo& info, const Receipt<IdentityInfo>& receipt,
                   const StopCheck& stop);
  // Adds to `change` that the identity goes with all its templates.
  void AddDeletion(const IdentityEntry& entry, StoreChange& change) const;
  StatusOr<MergePlan> PlanMerge(const MergedIdentity& source, const MergedIdentity& target) const;

  // Describes the collection with the record `stored`.
  CollectionInfo InfoOf(const StoredCollection& stored) const FACEGATE_REQUIRES_SHARED(mutex_);
  // The vectors that CompareAll() compares, and how many templates are below the quality.
  struct DrawnVectors {
    std::vector<IdentityVectors> identities;
    size_t left_out = 0;
  };
  // The numbers of the identities that are compared, in the order of the draw.
  StatusOr<std::vector<uint64_t>> DrawIdentities(const SelfComparison& comparison,
                                                 const StopCheck& stop) const;
  StatusOr<DrawnVectors> DrawVectors(const SelfComparison& comparison, const StopCheck& stop) const;
  void AddVectors(const IdentityEntry& entry, const SelfComparison& comparison,
                  DrawnVectors& vectors) const FACEGATE_REQUIRES_SHARED(mutex_);
  IdentityInfo InfoOf(std::string_view id, const IdentityEntry& entry) const;
  // Describes the identity as it is once the store has its record.
  IdentityInfo InfoOf(const StoredIdentity& identity, uint64_t template_count) const;
  IdentityKey KeyOf(const IdentityEntry& entry) const {
    return {.collection = record_.uid, .identity = entry.uid};
  }
  // The identity's record after a change of it that happens now.
  StoredIdentity Changed(std::string_view id, const IdentityEntry& entry) const;

  Status CheckPresent() const FACEGATE_REQUIRES_SHARED(mutex_);
  StatusOr<const IdentityEntry*> Find(std::string_view identity) const
      FACEGATE_REQUIRES_SHARED(mutex_);
  // kEtagMismatch, too.
  StatusOr<const IdentityEntry*> Find(std::string_view identity, std::string_view etag) const
      FACEGATE_REQUIRES_SHARED(mutex_);

  const StoredCollection record_;
  const GalleryParts parts_;

  SharedMutex lifecycle_;
  PendingFaces pending_;

  mutable SharedMutex mutex_;
  StoredCollection current_ FACEGATE_GUARDED_BY(mutex_);  // with the settings of now
  CollectionState state_ FACEGATE_GUARDED_BY(mutex_);
  bool deleted_ FACEGATE_GUARDED_BY(mutex_) = false;
  // Rows have moved, of which finders are not told yet (VectorIndex::BeginMove).
  bool has_moved_ FACEGATE_GUARDED_BY(mutex_) = false;
};

// Collections by id. They are shared with the calls that are at work on one, which may end after
// its deletion.
using Collections = std::map<std::string, std::shared_ptr<Collection>, std::less<>>;

}  // namespace facegate
