// The part of Collection that changes identities that are there, and deletes.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "index/local/collection.h"
#include "index/local/gallery_checks.h"

namespace facegate {
namespace {

// Names the one of two identities that an error is about.
StatusOr<const IdentityEntry*> AtIdentity(StatusOr<const IdentityEntry*> found,
                                          std::string_view which) {
  if (found.ok()) return found;
  return Annotate(found.status(), which);
}

// True when something of `before` is not in `after`: it must leave the files, and the answers.
bool TakesAway(const Labels& before, const Labels& after) {
  return !std::includes(after.begin(), after.end(), before.begin(), before.end());
}

Labels AfterChange(const Labels& labels, const LabelChange& change) {
  Labels after = change.replace_all ? Labels() : labels;
  for (const std::string& key : change.remove) after.erase(key);
  for (const auto& [key, value] : change.set) after.insert_or_assign(key, value);
  return after;
}

}  // namespace

StatusOr<IdentityInfo> Collection::UpdateLabels(std::string_view identity,
                                                const LabelChange& change, std::string_view etag,
                                                const Receipt<IdentityInfo>& receipt,
                                                const StopCheck& stop) {
  const ReaderLock alive(lifecycle_);
  const MutexLock order(parts_.identity_locks.Of(record_.uid, identity));
  StoredIdentity record;
  IdentityInfo info;
  bool takes_away = false;
  {
    const ReaderLock lock(mutex_);
    FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* entry, Find(identity, etag));
    record = Changed(identity, *entry);
    record.labels = AfterChange(entry->labels, change);
    FACEGATE_RETURN_IF_ERROR(CheckLabels(change.set));
    FACEGATE_RETURN_IF_ERROR(CheckLabelCount(record.labels.size()));
    takes_away = TakesAway(entry->labels, record.labels);
    info = InfoOf(record, entry->templates.size());
  }
  FACEGATE_RETURN_IF_ERROR(Overwrite(identity, std::move(record), takes_away, info, receipt, stop));
  return info;
}

StatusOr<IdentityInfo> Collection::RenameIdentity(std::string_view identity,
                                                  std::string_view new_id, std::string_view etag,
                                                  const Receipt<IdentityInfo>& receipt,
                                                  const StopCheck& stop) {
  const ReaderLock alive(lifecycle_);
  const TwoIdentitiesLock order(parts_.identity_locks.Of(record_.uid, identity),
                                parts_.identity_locks.Of(record_.uid, new_id));
  StoredIdentity record;
  IdentityInfo info;
  {
    const ReaderLock lock(mutex_);
    FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* entry, Find(identity, etag));
    if (state_.Find(new_id) != nullptr) {
      return Refuse(Reason::kIdentityExists, "there is an identity with the new id");
    }
    record = Changed(new_id, *entry);
    info = InfoOf(record, entry->templates.size());
  }
  FACEGATE_RETURN_IF_ERROR(Overwrite(identity, std::move(record), true, info, receipt, stop));
  return info;
}

Status Collection::Overwrite(std::string_view identity, StoredIdentity record, bool takes_away,
                             const IdentityInfo& info, const Receipt<IdentityInfo>& receipt,
                             const StopCheck& stop) {
  LabelIndex::Addition labels = LabelIndex::Prepare(record.key.identity, record.labels);
  StoreChange change;
  change.erases_overwritten = takes_away;
  if (takes_away) FACEGATE_RETURN_IF_ERROR(parts_.ledger.Outdate(record.key, change));
  change.identities.push_back(record);
  FACEGATE_RETURN_IF_ERROR(parts_.ledger.Keep(receipt, info, record.key, change));
  FACEGATE_RETURN_IF_ERROR(parts_.writer.Write(change, stop));
  const WriterLock lock(mutex_);
  state_.Update(identity, std::move(record), std::move(labels));
  return OkStatus();
}

StatusOr<Collection::MergePlan> Collection::PlanMerge(const MergedIdentity& source,
                                                      const MergedIdentity& target) const {
  MergePlan plan;
  const ReaderLock lock(mutex_);
  FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* from,
                            AtIdentity(Find(source.id, source.etag), "the source"));
  FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* into,
                            AtIdentity(Find(target.id, target.etag), "the target"));
  StoredIdentity& record = plan.change.identities.emplace_back(Changed(target.id, *into));
  record.labels.insert(from->labels.begin(), from->labels.end());
  if (record.labels.size() > kMaxLabels) {
    return RefuseField("source_identity_id",
                       fmt::format("together they have {} labels, must be at most {}",
                                   record.labels.size(), kMaxLabels));
  }
  FACEGATE_RETURN_IF_ERROR(CheckTemplateCount(into->templates.size() + from->templates.size()));
  AddDeletion(*from, plan.change);
  for (const TemplateEntry& moved : from->templates) {
    const std::span<const float> values = state_.index().Vector(moved.slot);
    FACEGATE_ASSIGN_OR_RETURN(Embedding embedding,
                              Embedding::FromUnit({values.begin(), values.end()}));
    plan.change.templates.push_back(
        {.key = {.owner = record.key, .generation = record_.generation, .template_id = moved.id},
         .embedding = std::move(embedding),
         .model = record_.model,
         .detector = moved.detector,
         .detection_score = moved.detection_score,
         .create_time_us = moved.create_time_us,
         .source_digest = moved.source_digest,
         .source = moved.source,
         .quality = moved.quality});
  }
  plan.merged = {.uid = into->uid,
                 .create_time_us = record.create_time_us,
                 .update_time_us = record.update_time_us,
                 .revision = record.revision,
                 .labels = record.labels,
                 .templates = {},
                 .mean = {}};
  std::merge(into->templates.begin(), into->templates.end(), from->templates.begin(),
             from->templates.end(), std::back_inserter(plan.merged.templates),
             [](const TemplateEntry& a, const TemplateEntry& b) { return a.id < b.id; });
  plan.result = {.identity = InfoOf(target.id, plan.merged),
                 .moved_templates = from->templates.size()};
  return plan;
}

StatusOr<MergeResult> Collection::MergeIdentities(const MergedIdentity& source,
                                                  const MergedIdentity& target,
                                                  const Receipt<MergeResult>& receipt,
                                                  const StopCheck& stop) {
  const ReaderLock alive(lifecycle_);
  const TwoIdentitiesLock order(parts_.identity_locks.Of(record_.uid, source.id),
                                parts_.identity_locks.Of(record_.uid, target.id));
  FACEGATE_ASSIGN_OR_RETURN(MergePlan plan, PlanMerge(source, target));
  LabelIndex::Addition labels = LabelIndex::Prepare(plan.merged.uid, plan.merged.labels);
  FACEGATE_ASSIGN_OR_RETURN(auto room, MakeRoom(0));
  const IdentityKey heir = plan.change.identities.front().key;
  FACEGATE_RETURN_IF_ERROR(
      parts_.ledger.Outdate(plan.change.deleted_identities.front(), plan.change));
  FACEGATE_RETURN_IF_ERROR(parts_.ledger.Keep(receipt, plan.result, heir, plan.change));
  FACEGATE_RETURN_IF_ERROR(parts_.writer.Write(plan.change, stop));
  const WriterLock lock(mutex_);
  state_.Merge(source.id, target.id, std::move(plan.merged), std::move(labels), room);
  return std::move(plan.result);
}

StatusOr<uint64_t> Collection::DeleteIdentity(std::string_view identity, std::string_view etag,
                                              const Receipt<uint64_t>& receipt,
                                              const StopCheck& stop) {
  const ReaderLock alive(lifecycle_);
  const MutexLock order(parts_.identity_locks.Of(record_.uid, identity));
  StoreChange change;
  uint64_t count = 0;
  {
    const ReaderLock lock(mutex_);
    FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* entry, Find(identity, etag));
    AddDeletion(*entry, change);
    count = entry->templates.size();
  }
  FACEGATE_RETURN_IF_ERROR(parts_.ledger.Bury(change.deleted_identities.front(), change));
  FACEGATE_RETURN_IF_ERROR(
      parts_.ledger.Keep(receipt, count, {.collection = record_.uid, .identity = 0}, change));
  FACEGATE_RETURN_IF_ERROR(parts_.writer.Write(change, stop));
  const WriterLock lock(mutex_);
  state_.RemoveIdentity(identity);
  return count;
}

void Collection::AddDeletion(const IdentityEntry& entry, StoreChange& change) const {
  const IdentityKey key = KeyOf(entry);
  change.deleted_identities.push_back(key);
  for (const TemplateEntry& one : entry.templates) {
    change.deleted_templates.push_back({.owner = key, .template_id = one.id});
  }
}

Status Collection::DeleteTemplate(std::string_view identity, uint64_t template_id,
                                  const Receipt<Deleted>& receipt, const StopCheck& stop) {
  const ReaderLock alive(lifecycle_);
  const MutexLock order(parts_.identity_locks.Of(record_.uid, identity));
  StoreChange change;
  {
    const ReaderLock lock(mutex_);
    FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* entry, Find(identity));
    if (FindTemplate(*entry, template_id) == entry->templates.end()) return TemplateNotFound();
    change.identities.push_back(Changed(identity, *entry));
    change.deleted_templates.push_back({.owner = KeyOf(*entry), .template_id = template_id});
  }
  StoredIdentity record = change.identities.front();
  LabelIndex::Addition labels = LabelIndex::Prepare(record.key.identity, record.labels);
  FACEGATE_ASSIGN_OR_RETURN(auto room, MakeRoom(0));
  FACEGATE_RETURN_IF_ERROR(parts_.ledger.Outdate(record.key, change));
  FACEGATE_RETURN_IF_ERROR(parts_.ledger.Keep(receipt, Deleted{}, record.key, change));
  FACEGATE_RETURN_IF_ERROR(parts_.writer.Write(change, stop));
  const WriterLock lock(mutex_);
  state_.RemoveTemplate(identity, template_id, room);
  state_.Update(identity, std::move(record), std::move(labels));
  return OkStatus();
}

}  // namespace facegate
