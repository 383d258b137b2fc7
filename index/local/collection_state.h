#pragma once

#include <algorithm>
#include <array>
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
#include "index/local/label_index.h"
#include "index/local/search_parts.h"
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
    LabelIndex::Addition labels_;
  };

  // `dimension`: how long vectors are. Rows are scanned until SetSearch() says otherwise.
  CollectionState(size_t dimension, const ScorePolicy& policy, SearchParts search);

  const ScorePolicy& policy() const { return policy_; }
  const Identities& identities() const { return identities_; }
  // Null when there is none.
  const IdentityEntry* Find(std::string_view identity) const;
  // The id of the identity with that number, which is there.
  const std::string& NameOf(uint64_t uid) const { return *names_.at(uid); }
  // Calls `visit` for identities in the order of their numbers, from the first one of at least
  // `from`, `most` of them; from where to go on, or nothing at the end.
  template <typename Visit>
  std::optional<uint64_t> VisitFrom(uint64_t from, size_t most, const Visit& visit) const {
    auto next = names_.lower_bound(from);
    for (size_t i = 0; i < most && next != names_.end(); ++i, ++next) visit(*Find(*next->second));
    return next == names_.end() ? std::nullopt : std::optional<uint64_t>(next->first);
  }
  const IdentityEntry* FindByNumber(uint64_t uid) const {
    const auto name = names_.find(uid);
    return name == names_.end() ? nullptr : Find(*name->second);
  }
  // The identity that a match is of; null when it does not have that template (any more).
  const std::string* OwnerOf(const IndexMatch& match) const;
  const VectorIndex& index() const { return *index_; }
  // What was searched, of templates and means.
  SearchCounts counts() const {
    SearchCounts counts = index_->counts();
    if (means_ == nullptr) return counts;
    const SearchCounts of_means = means_->counts();
    return {.queries = counts.queries + of_means.queries,
            .scanned = counts.scanned + of_means.scanned,
            .rescored = counts.rescored + of_means.rescored,
            .found = counts.found + of_means.found};
  }
  // Rows that were removed and still take memory, of templates and means.
  size_t removed_rows() const {
    return index_->removed() + (means_ == nullptr ? 0 : means_->removed());
  }
  size_t template_count() const { return index_->size(); }

  // Room for `rows` more templates of one identity, and for its mean after any change of them.
  std::optional<Reservation> TryReserve(size_t rows);
  StatusOr<Reservation> Reserve(size_t rows);

  // Prepared beside searches, but not beside changes; taken over, it cannot fail.
  StatusOr<Scoring> PrepareScoring(const ScorePolicy& policy) const;
  // Returns the means that have no part in scores any more, which are many.
  std::unique_ptr<VectorIndex> TakeScoring(Scoring scoring);

  // Rows are searched in that way from now on; called again after TakeScoring(), whose means are
  // scanned till then. False when there is no memory for it: all or some are scanned.
  bool SetSearch(SearchKind kind) noexcept;
  // Of templates and means. Held while they are replaced, they do not go under the lock.
  std::array<std::shared_ptr<RowFinder>, 2> finders() const {
    return {index_->finder(), means_ == nullptr ? nullptr : means_->finder()};
  }
  // How the approximate search does that SetSearch() has set.
  ApproximateSearch approximate() const;

  // A search goes on without the lock, over this.
  struct SearchView {
    std::unique_ptr<IndexView> rows;  // of means, where those make the score; else of templates
    Fusion fusion = Fusion::kBestTemplate;
  };
  StatusOr<SearchView> View() const;
  // How many merges there were, and those who took over templates in the merges from number
  // `from` on; nothing where these are too many to be remembered.
  uint64_t merges() const { return merges_; }
  std::optional<std::vector<uint64_t>> HeirsSince(uint64_t from) const;
  const LabelIndex& labels() const { return labels_; }
  // The score of an identity that has templates, without a cohort.
  Candidate CosineOf(std::string_view identity, const IdentityEntry& entry,
                     const Embedding& query) const;
  // What the candidate's cosine is with; `entry` is its identity, and has the template.
  std::span<const float> VectorOf(const IdentityEntry& entry, const Candidate& candidate) const;
  // Which of two identities with one score comes first: that with the lower number.
  uint64_t OrderOf(const IdentityEntry& entry, const Candidate& candidate) const {
    return policy_.fusion == Fusion::kMeanTemplate ? entry.templates.front().id
                                                   : candidate.template_id;
  }

  // Those who are to be the cohort, with copies of their vectors, which are wiped at the end.
  struct CohortMembers {
    CohortMembers() = default;
    ~CohortMembers() { std::fill(values.begin(), values.end(), 0.0f); }
    CohortMembers(const CohortMembers&) = delete;
    CohortMembers& operator=(const CohortMembers&) = delete;
    // Null where there is to be none.
    StatusOr<std::shared_ptr<const Cohort>> MakeCohort(const StopCheck& stop) const;

    std::vector<uint64_t> identities;
    std::vector<float> values;
    uint64_t version = 0;  // of the draw
  };
  // The cohort, if it is made already; else `members` are filled where there is to be one.
  std::shared_ptr<const Cohort> KnownCohort(CohortMembers& members) const;
  // Unless the draw has changed since.
  void KeepCohort(uint64_t version, std::shared_ptr<const Cohort> cohort) const;

  // `identity` is new, or has kept its templates since they were read; `added` are to follow them.
  Addition Prepare(const StoredIdentity& identity, std::span<const StoredTemplate> added) const;
  // `added` as given to Prepare(), with a row of `room` for each.
  void Commit(Addition addition, std::span<const StoredTemplate> added, Reservation& room);

  // These cannot fail. Identities and template must be there, and the new id of an update free.
  //
  // Takes over what `record` says of the identity that has been `identity` so far: id, labels,
  // times. `labels` are those of the record.
  void Update(std::string_view identity, StoredIdentity record, LabelIndex::Addition labels);
  // Puts `merged`, which has the templates of both, in the place of `target`, and drops `source`.
  // `labels` are those of `merged`.
  void Merge(std::string_view source, std::string_view target, IdentityEntry merged,
             LabelIndex::Addition labels, Reservation& room);
  void RemoveIdentity(std::string_view identity);
  void RemoveTemplate(std::string_view identity, uint64_t template_id, Reservation& room);

  // Rows that move closer together (VectorIndex::BeginMove), of templates or means.
  struct Move {
    VectorIndex* index = nullptr;
    std::unique_ptr<VectorIndex::RowMove> rows;
    size_t followed = 0;  // of rows->moved()
  };
  // Nothing where there is nothing to move (VectorIndex::BeginMove). Runs alone, as
  // TakeOver() and Follow() do; rows->Copy() comes before these, beside everything but a change of
  // the policy.
  StatusOr<std::optional<Move>> BeginMove(double least_removed, uint64_t removed_until);
  Status TakeOver(Move& move) { return move.index->TakeOver(*move.rows); }
  // Takes over some of the new places; false when all are taken over, and the move is at its end.
  bool Follow(Move& move);

 private:
  // The identity with that number, which is there.
  const IdentityEntry& EntryOf(uint64_t uid) const {
    return identities_.find(*names_.at(uid))->second;
  }
  // The vector that stands for an identity that has templates.
  std::span<const float> VectorOf(const IdentityEntry& entry) const;
  // Follows a change of the templates of an identity; `entry` is what is in identities_.
  void FollowTemplates(IdentityEntry& entry, Reservation& room);
  // Drops what scores have of an identity that is to have no part in them any more: its mean and
  // its place in the cohort.
  void Forget(const IdentityEntry& entry);
  void ForgetCohort();
  // `known` is the kind that the index has a finder of.
  bool SetFinder(VectorIndex& index, SearchKind kind, std::optional<SearchKind>& known) noexcept;

  const SearchParts search_;
  ScorePolicy policy_;
  Identities identities_;
  std::map<uint64_t, const std::string*> names_;  // the keys of identities_, by number
  LabelIndex labels_;
  std::array<uint64_t, 1024> heirs_{};  // of the last merges, by their numbers
  uint64_t merges_ = 0;
  std::unique_ptr<VectorIndex> index_;
  std::unique_ptr<VectorIndex> means_;      // null where they have no part in scores
  std::optional<SearchKind> index_search_;  // what SetFinder() has set
  std::optional<SearchKind> means_search_;
  std::vector<float> mean_;  // where one is computed: a change must not need memory
  CohortDraw draw_;          // of nobody without a cohort

  mutable Mutex cohort_mutex_;
  // The cohort of draw_; made when it is needed, and again after a member has changed.
  mutable std::shared_ptr<const Cohort> cohort_ FACEGATE_GUARDED_BY(cohort_mutex_);
  uint64_t cohort_version_ FACEGATE_GUARDED_BY(cohort_mutex_) = 0;
};

// The template's place in entry.templates, or their end.
std::vector<TemplateEntry>::const_iterator FindTemplate(const IdentityEntry& entry,
                                                        uint64_t template_id);

}  // namespace facegate
