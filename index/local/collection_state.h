#pragma once

#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/check.h"
#include "face/base/mutex.h"
#include "face/base/status.h"
#include "index/gallery.h"
#include "index/rows/cohort.h"
#include "index/rows/vector_index.h"
#include "index/store/template_record.h"

namespace facegate {

struct TemplateEntry {
  uint64_t id = 0;
  VectorIndex::Slot slot;
  int64_t create_time_us = 0;
  float detection_score = 0.0f;
  std::string detector;
  std::string source_digest;
  TemplateSource source = TemplateSource::kUnknown;
  std::optional<float> quality;
};

// The part of the settings that decides how scores are made.
struct ScorePolicy {
  Fusion fusion = Fusion::kBestTemplate;
  bool cohort = false;
  bool operator==(const ScorePolicy&) const = default;
};

struct IdentityEntry {
  uint64_t uid = 0;
  int64_t create_time_us = 0;
  int64_t update_time_us = 0;
  uint64_t revision = 0;
  Labels labels;
  std::vector<TemplateEntry> templates;  // in ascending order of ids
  // Its row among the means; absent without templates, and where means have no part in scores.
  std::optional<VectorIndex::Slot> mean;
};

// The memory of one collection: its identities by id, the index of their templates, and what the
// policy of scores needs beside it: the mean of each identity's templates, and a draw of those who
// are the cohort. Threads: const calls may run together; any other call must run alone, but for
// TryReserve().
//
// An addition is prepared beside searches, with all the memory that it needs; once the store has
// taken it, Commit() cannot fail.
class CollectionState {
 public:
  using Identities = std::map<std::string, IdentityEntry, std::less<>>;

  // Room in an index; what is not used goes back at the end of scope.
  class Rows {
   public:
    Rows() = default;
    Rows(VectorIndex& index, size_t rows) : index_(&index), rows_(rows) {}
    ~Rows() {
      if (index_ != nullptr) index_->Release(rows_);
    }
    Rows(Rows&& other) noexcept
        : index_(std::exchange(other.index_, nullptr)), rows_(other.rows_) {}
    Rows& operator=(Rows&& other) noexcept {
      std::swap(index_, other.index_);
      std::swap(rows_, other.rows_);
      return *this;
    }
    void Use() {
      FACEGATE_CHECK(rows_ > 0);
      rows_ -= 1;
    }

   private:
    VectorIndex* index_ = nullptr;
    size_t rows_ = 0;
  };
  // Room for the templates of an addition, and for the mean of its identity.
  struct Reservation {
    Rows templates;
    Rows mean;
  };

  // Everything that another policy of scores needs in memory.
  struct Scoring {
    ScorePolicy policy;
    std::unique_ptr<VectorIndex> means;      // null where they have no part
    std::vector<VectorIndex::Slot> slots{};  // of those with templates, in the order of identities
    CohortDraw draw{};
  };

  // An identity with templates that it does not have yet.
  class Addition {
   public:
    const IdentityEntry& entry() const { return identity_.mapped(); }

   private:
    friend class CollectionState;
    Identities::node_type identity_;
    std::map<uint64_t, const std::string*>::node_type name_;
  };

  // `dimension`: how long vectors are; `search_threads`: ExactIndexOptions::threads.
  CollectionState(size_t dimension, const ScorePolicy& policy, size_t search_threads);

  const ScorePolicy& policy() const { return policy_; }
  const Identities& identities() const { return identities_; }
  // Null when there is none.
  const IdentityEntry* Find(std::string_view identity) const;
  // The identity with that number, which has rows in the index.
  const std::string& NameOf(uint64_t uid) const { return *names_.at(uid); }
  const VectorIndex& index() const { return *index_; }
  size_t template_count() const { return index_->size(); }

  // Room for `rows` templates of one identity.
  std::optional<Reservation> TryReserve(size_t rows);
  StatusOr<Reservation> Reserve(size_t rows);

  // Prepared beside searches, but not beside changes; taken over, it cannot fail.
  StatusOr<Scoring> PrepareScoring(const ScorePolicy& policy) const;
  void TakeScoring(Scoring scoring);

  // These are Gallery::Search() and Score(); `entry` has templates.
  StatusOr<std::vector<Candidate>> Search(const Embedding& query, size_t k,
                                          const StopCheck& stop) const;
  Candidate Score(std::string_view identity, const IdentityEntry& entry,
                  const Embedding& query) const;

  // `identity` is new, or has kept its templates since they were read; `added` are to follow them.
  Addition Prepare(const StoredIdentity& identity, std::span<const StoredTemplate> added) const;
  // `added` as given to Prepare(), with a row of `room` for each.
  void Commit(Addition addition, std::span<const StoredTemplate> added, Reservation& room);

  // These cannot fail. Identities and template must be there, and the new id of an update free.
  //
  // Takes over what `record` says of the identity that has been `identity` so far: id, labels,
  // times.
  void Update(std::string_view identity, StoredIdentity record);
  // Puts `merged`, which has the templates of both, in the place of `target`, and drops `source`.
  void Merge(std::string_view source, std::string_view target, IdentityEntry merged);
  void RemoveIdentity(std::string_view identity);
  void RemoveTemplate(std::string_view identity, uint64_t template_id);

 private:
  const IdentityEntry& EntryOf(uint64_t uid) const { return identities_.find(NameOf(uid))->second; }
  // The vector that stands for an identity that has templates.
  std::span<const float> VectorOf(const IdentityEntry& entry) const;
  // The score without a cohort.
  Candidate CosineOf(std::string_view identity, const IdentityEntry& entry,
                     const Embedding& query) const;
  // `probe_scores` are those of the query.
  void Normalise(const Cohort& cohort, std::span<const float> probe_scores,
                 const IdentityEntry& entry, Candidate& candidate) const;
  // Null where there is none.
  std::shared_ptr<const Cohort> CurrentCohort() const;

  // Follows a change of the templates of an identity; `entry` is what is in identities_. The room
  // is used where it has no mean so far; null when it has one.
  void FollowTemplates(IdentityEntry& entry, Rows* room);
  // Drops what scores have of an identity that is to have no part in them any more: its mean and
  // its place in the cohort.
  void Forget(const IdentityEntry& entry);
  void ForgetCohort();

  const size_t search_threads_;
  ScorePolicy policy_;
  Identities identities_;
  std::map<uint64_t, const std::string*> names_;  // the keys of identities_, by number
  std::unique_ptr<VectorIndex> index_;
  std::unique_ptr<VectorIndex> means_;  // null where they have no part in scores
  std::vector<float> mean_;             // where one is computed: a change must not need memory
  CohortDraw draw_;                     // of nobody without a cohort

  mutable Mutex cohort_mutex_;
  // The cohort of draw_; made when it is needed, and again after a member has changed.
  mutable std::shared_ptr<const Cohort> cohort_ FACEGATE_GUARDED_BY(cohort_mutex_);
};

// The template's place in entry.templates, or their end.
std::vector<TemplateEntry>::const_iterator FindTemplate(const IdentityEntry& entry,
                                                        uint64_t template_id);

}  // namespace facegate
