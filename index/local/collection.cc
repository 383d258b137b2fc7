#include "index/local/collection.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "face/base/log.h"
#include "face/base/sha256.h"
#include "index/local/gallery_checks.h"
#include "index/store/corrupt.h"

namespace facegate {
namespace {

Status IdentityNotFound() {
  return Refuse(Reason::kIdentityNotFound, "there is no such identity in the collection");
}

Status EtagMismatch(std::string_view what) {
  return Refuse(Reason::kEtagMismatch,
                fmt::format("the {} was changed since the etag was read; read it again", what));
}

// The identity whose lock orders the changes of a collection's settings: no id is empty.
constexpr std::string_view kSettings;

// Etags are opaque to clients. They are made of the numbers, not of the content, and tell nothing
// about it.
std::string EtagOf(const IdentityKey& key, uint64_t revision) {
  constexpr size_t kDigits = 16;
  return Sha256Hex(fmt::format("etag {} {} {}", key.collection, key.identity, revision))
      .substr(0, kDigits);
}

void Apply(const CollectionChange& change, CollectionSettings& settings) {
  if (change.set_min_cosine) settings.min_cosine = change.min_cosine;
  if (change.set_enrol_quality) settings.enrol_quality = change.enrol_quality;
  if (change.set_probe_quality) settings.probe_quality = change.probe_quality;
  if (change.set_identity_match_fmr) settings.identity_match_fmr = change.identity_match_fmr;
  if (change.set_duplicate_fmr) settings.duplicate_fmr = change.duplicate_fmr;
  settings.fusion = change.fusion.value_or(settings.fusion);
  settings.cohort = change.cohort.value_or(settings.cohort);
  settings.search = change.search.value_or(settings.search);
}

ScorePolicy PolicyOf(const CollectionSettings& settings) {
  return {.fusion = settings.fusion, .cohort = settings.cohort};
}

// Whether another finder looks through rows after the change.
bool IsAnotherFinder(const CollectionSettings& before, const CollectionSettings& after) {
  const bool has_means =
      before.fusion == Fusion::kMeanTemplate || after.fusion == Fusion::kMeanTemplate;
  return before.search != after.search || (has_means && PolicyOf(before) != PolicyOf(after));
}

// `is_set` is what CollectionState::SetSearch() says.
void WarnUnless(bool is_set) noexcept {
  if (is_set) return;
  try {
    LogWarning("a collection is searched by the CPU, and exactly: there is no memory for more");
  } catch (...) {
    return;  // nor for a warning
  }
}

}  // namespace

Collection::Collection(StoredCollection record, const GalleryParts& parts)
    : record_(std::move(record)),
      parts_(parts),
      current_(record_),
      state_(static_cast<size_t>(record_.embedding_size), PolicyOf(record_.settings),
             parts.search) {}

Status Collection::CheckPresent() const {
  if (!deleted_) return OkStatus();
  return Refuse(Reason::kCollectionNotFound, "there is no such collection");
}

StatusOr<const IdentityEntry*> Collection::Find(std::string_view identity) const {
  FACEGATE_RETURN_IF_ERROR(CheckPresent());
  const IdentityEntry* entry = state_.Find(identity);
  if (entry == nullptr) return IdentityNotFound();
  return entry;
}

StatusOr<const IdentityEntry*> Collection::Find(std::string_view identity,
                                                std::string_view etag) const {
  FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* entry, Find(identity));
  if (!etag.empty() && etag != EtagOf(KeyOf(*entry), entry->revision))
    return EtagMismatch("identity");
  return entry;
}

IdentityInfo Collection::InfoOf(std::string_view id, const IdentityEntry& entry) const {
  return {.id = std::string(id),
          .create_time_us = entry.create_time_us,
          .update_time_us = entry.update_time_us,
          .template_count = entry.templates.size(),
          .labels = entry.labels,
          .etag = EtagOf(KeyOf(entry), entry.revision)};
}

IdentityInfo Collection::InfoOf(const StoredIdentity& identity, uint64_t template_count) const {
  return {.id = identity.id,
          .create_time_us = identity.create_time_us,
          .update_time_us = identity.update_time_us,
          .template_count = template_count,
          .labels = identity.labels,
          .etag = EtagOf(identity.key, identity.revision)};
}

StoredIdentity Collection::Changed(std::string_view id, const IdentityEntry& entry) const {
  return {.key = KeyOf(entry),
          .id = std::string(id),
          .create_time_us = entry.create_time_us,
          // Never backwards, whatever happens to the clock.
          .update_time_us =
              std::max({parts_.clock.UnixMicros(), entry.update_time_us, entry.create_time_us}),
          .revision = entry.revision + 1,
          .labels = entry.labels};
}

Status Collection::Load(const StoredIdentity& identity, std::span<const StoredTemplate> templates) {
  const WriterLock lock(mutex_);
  if (state_.Find(identity.id) != nullptr) {
    return Corrupt(DescribeKey(identity.key) + ": its id is given twice");
  }
  FACEGATE_ASSIGN_OR_RETURN(auto room, state_.Reserve(templates.size()));
  state_.Commit(state_.Prepare(identity, templates), templates, room);
  return OkStatus();
}

void Collection::BeginSearches() {
  bool is_set = false;
  {
    const WriterLock lock(mutex_);
    is_set = state_.SetSearch(current_.settings.search);
  }
  WarnUnless(is_set);
}

CollectionInfo Collection::InfoOf(const StoredCollection& stored) const {
  const bool is_exact = stored.settings.search == SearchKind::kExact;
  return {.id = stored.id,
          .settings = stored.settings,
          .model = stored.model,
          .embedding_size = stored.embedding_size,
          .create_time_us = stored.create_time_us,
          .update_time_us = stored.update_time_us,
          .etag = EtagOf({.collection = stored.uid, .identity = 0}, stored.revision),
          .identity_count = state_.identities().size(),
          .template_count = state_.template_count(),
          .approximate = is_exact ? std::nullopt : std::optional(state_.approximate())};
}

StatusOr<CollectionInfo> Collection::Info() const {
  const ReaderLock lock(mutex_);
  FACEGATE_RETURN_IF_ERROR(CheckPresent());
  return InfoOf(current_);
}

void Collection::CountInto(GalleryStats& stats) const {
  const ReaderLock lock(mutex_);
  if (deleted_) return;
  stats.collections += 1;
  stats.identities += state_.identities().size();
  stats.templates += state_.template_count();
  const SearchCounts counts = state_.counts();
  stats.scanned_rows += counts.scanned;
  stats.scored_rows += counts.rescored;
  stats.removed_rows += state_.removed_rows();
}

StatusOr<CollectionInfo> Collection::Update(const CollectionChange& change, std::string_view etag,
                                            const Receipt<CollectionInfo>& receipt,
                                            const StopCheck& stop) {
  if (change.fusion.has_value() || change.cohort.has_value()) {
    const WriterLock alone(lifecycle_);
    return ApplyChange(change, etag, receipt, stop);
  }
  const ReaderLock alive(lifecycle_);
  return ApplyChange(change, etag, receipt, stop);
}

StatusOr<CollectionInfo> Collection::ApplyChange(const CollectionChange& change,
                                                 std::string_view etag,
                                                 const Receipt<CollectionInfo>& receipt,
                                                 const StopCheck& stop) {
  const MutexLock order(parts_.identity_locks.Of(record_.uid, kSettings));
  StoredCollection record;
  CollectionInfo info;
  std::optional<CollectionState::Scoring> scoring;
  {
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    info = InfoOf(current_);
    if (!etag.empty() && etag != info.etag) return EtagMismatch("collection");
    record = current_;
    Apply(change, record.settings);
    record.update_time_us = std::max(parts_.clock.UnixMicros(), record.update_time_us);
    record.revision += 1;
    info = InfoOf(record);
    if (info.approximate.has_value() && IsAnotherFinder(current_.settings, record.settings)) {
      info.approximate.emplace();
    }
    if (const ScorePolicy policy = PolicyOf(record.settings); policy != state_.policy()) {
      FACEGATE_ASSIGN_OR_RETURN(scoring, state_.PrepareScoring(policy));
    }
  }
  StoreChange stored;
  stored.collections.push_back(record);
  FACEGATE_RETURN_IF_ERROR(
      parts_.ledger.Keep(receipt, info, {.collection = record_.uid, .identity = 0}, stored));
  FACEGATE_RETURN_IF_ERROR(parts_.writer.Write(stored, stop));
  // What is not used any more outlives the lock.
  std::unique_ptr<VectorIndex> means;
  std::array<std::shared_ptr<RowFinder>, 2> finders;
  bool is_set = false;
  {
    const WriterLock lock(mutex_);
    current_ = std::move(record);
    finders = state_.finders();
    if (scoring.has_value()) means = state_.TakeScoring(*std::move(scoring));
    is_set = state_.SetSearch(current_.settings.search);
  }
  WarnUnless(is_set);
  return info;
}

Status Collection::Delete(bool force, const Receipt<Deleted>& receipt, const StopCheck& stop) {
  const WriterLock alone(lifecycle_);
  {
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    if (const size_t count = state_.identities().size(); count > 0 && !force) {
      return Refuse(
          Reason::kCollectionNotEmpty,
          fmt::format("the collection has {} identities, must have 0 without force", count));
    }
  }
  StoreChange change;
  change.deleted_collections.push_back(record_.uid);
  parts_.ledger.BuryLater(record_.uid, change);
  FACEGATE_RETURN_IF_ERROR(parts_.ledger.Keep(receipt, Deleted{}, IdentityKey{}, change));
  FACEGATE_RETURN_IF_ERROR(parts_.writer.Write(change, stop));
  const WriterLock lock(mutex_);
  deleted_ = true;
  return OkStatus();
}

StatusOr<bool> Collection::MoveRows(double least_removed, uint64_t removed_until) {
  const ReaderLock alive(lifecycle_);  // the policy of scores stays
  std::optional<CollectionState::Move> move;
  {
    const WriterLock lock(mutex_);
    if (deleted_ || (state_.removed_rows() == 0 && !has_moved_)) return false;
    FACEGATE_ASSIGN_OR_RETURN(move, state_.BeginMove(least_removed, removed_until));
    has_moved_ = move.has_value();
  }
  if (!move.has_value()) return false;
  FACEGATE_RETURN_IF_ERROR(move->rows->Copy());
  {
    const WriterLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(state_.TakeOver(*move));
  }
  for (bool more = true; more;) {
    const WriterLock lock(mutex_);
    more = state_.Follow(*move);
  }
  return true;
}

}  // namespace facegate
