#include "index/collection.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

namespace facegate {
namespace {

Status IdentityNotFound() {
  return Refuse(Reason::kIdentityNotFound, "there is no such identity in the collection");
}
Status TemplateNotFound() {
  return Refuse(Reason::kTemplateNotFound, "the identity has no such template");
}

IdentityInfo InfoOf(std::string_view id, const IdentityEntry& entry) {
  return {.id = std::string(id),
          .create_time_us = entry.create_time_us,
          .update_time_us = entry.update_time_us,
          .template_count = entry.templates.size()};
}

}  // namespace

Collection::Collection(StoredCollection record, const GalleryParts& parts)
    : record_(std::move(record)),
      parts_(parts),
      state_(MakeFlatIndex(static_cast<size_t>(record_.embedding_size))) {}

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

Status Collection::Load(const StoredIdentity& identity, std::span<const StoredTemplate> templates) {
  const WriterLock lock(mutex_);
  if (state_.Find(identity.id) != nullptr) {
    return Refuse(Reason::kStoreCorrupt, DescribeKey(identity.key) + ": its id is given twice");
  }
  FACEGATE_ASSIGN_OR_RETURN(auto room, state_.Reserve(templates.size()));
  state_.Commit(state_.Prepare(identity, templates), templates, room);
  return OkStatus();
}

StatusOr<CollectionInfo> Collection::Info() const {
  const ReaderLock lock(mutex_);
  FACEGATE_RETURN_IF_ERROR(CheckPresent());
  return CollectionInfo{.id = record_.id,
                        .settings = record_.settings,
                        .model = record_.model,
                        .embedding_size = record_.embedding_size,
                        .create_time_us = record_.create_time_us,
                        .identity_count = state_.identities().size(),
                        .template_count = state_.template_count()};
}

Status Collection::Delete(bool force) {
  const WriterLock alone(lifecycle_);
  {
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    if (const size_t count = state_.identities().size(); count > 0 && !force) {
      return Refuse(Reason::kCollectionNotEmpty,
                    fmt::format("the collection has {} identities", count));
    }
  }
  FACEGATE_RETURN_IF_ERROR(parts_.store.DeleteCollection(record_.uid));
  const WriterLock lock(mutex_);
  deleted_ = true;
  return OkStatus();
}

StatusOr<Collection::Plan> Collection::PlanEnrolment(std::string_view identity,
                                                     std::span<const NewTemplate> templates,
                                                     const EnrolOptions& options) {
  const int64_t now = parts_.clock.UnixMicros();
  Plan plan{.identity = {.key = {.collection = record_.uid, .identity = 0},
                         .id = std::string(identity),
                         .create_time_us = now,
                         .update_time_us = now},
            .added = {},
            .is_new = true};
  {
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    if (const IdentityEntry* known = state_.Find(identity); known != nullptr) {
      if (options.must_be_new) {
        return Refuse(Reason::kIdentityExists, "there is an identity with this id");
      }
      plan.is_new = false;
      plan.identity.key.identity = known->uid;
      plan.identity.create_time_us = known->create_time_us;
    }
  }
  FACEGATE_ASSIGN_OR_RETURN(uint64_t uid,
                            parts_.store.ReserveUids(templates.size() + (plan.is_new ? 1 : 0)));
  if (plan.is_new) plan.identity.key.identity = uid++;
  plan.added.reserve(templates.size());
  for (const NewTemplate& added : templates) {
    plan.added.push_back({.key = {.owner = plan.identity.key, .template_id = uid++},
                          .embedding = added.embedding,
                          .model = record_.model,
                          .detector = added.detector,
                          .detection_score = added.detection_score,
                          .create_time_us = now});
  }
  return plan;
}

StatusOr<CollectionState::Reservation> Collection::MakeRoom(size_t rows) {
  {
    const ReaderLock lock(mutex_);
    if (auto room = state_.TryReserve(rows)) return *std::move(room);
  }
  const WriterLock lock(mutex_);
  return state_.Reserve(rows);
}

StatusOr<EnrolResult> Collection::Enrol(std::string_view identity,
                                        std::span<const NewTemplate> templates,
                                        const EnrolOptions& options) {
  const ReaderLock alive(lifecycle_);
  const MutexLock order(parts_.identity_locks.Of(record_.uid, identity));
  FACEGATE_ASSIGN_OR_RETURN(const Plan plan, PlanEnrolment(identity, templates, options));
  FACEGATE_ASSIGN_OR_RETURN(auto room, MakeRoom(plan.added.size()));
  CollectionState::Addition addition;
  {
    const ReaderLock lock(mutex_);
    addition = state_.Prepare(plan.identity, plan.added);
  }
  EnrolResult result{.identity = InfoOf(identity, addition.entry()),
                     .template_ids = {},
                     .created_identity = plan.is_new};
  for (const StoredTemplate& added : plan.added) {
    result.template_ids.push_back(added.key.template_id);
  }
  FACEGATE_RETURN_IF_ERROR(parts_.store.PutTemplates(plan.identity, plan.added));
  const WriterLock lock(mutex_);
  state_.Commit(std::move(addition), plan.added, room);
  return result;
}

StatusOr<IdentityInfo> Collection::GetIdentity(std::string_view identity) const {
  const ReaderLock lock(mutex_);
  FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* entry, Find(identity));
  return InfoOf(identity, *entry);
}

StatusOr<Page<IdentityInfo>> Collection::ListIdentities(std::string_view after,
                                                        size_t limit) const {
  const ReaderLock lock(mutex_);
  FACEGATE_RETURN_IF_ERROR(CheckPresent());
  const CollectionState::Identities& identities = state_.identities();
  Page<IdentityInfo> page;
  auto next = identities.upper_bound(after);
  for (; next != identities.end() && page.items.size() < limit; ++next) {
    page.items.push_back(InfoOf(next->first, next->second));
  }
  if (next != identities.end() && !page.items.empty()) page.next_after = page.items.back().id;
  return page;
}

StatusOr<uint64_t> Collection::DeleteIdentity(std::string_view identity) {
  const ReaderLock alive(lifecycle_);
  const MutexLock order(parts_.identity_locks.Of(record_.uid, identity));
  IdentityKey key{.collection = record_.uid, .identity = 0};
  uint64_t count = 0;
  {
    const ReaderLock lock(mutex_);
    FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* entry, Find(identity));
    key.identity = entry->uid;
    count = entry->templates.size();
  }
  FACEGATE_RETURN_IF_ERROR(parts_.store.DeleteIdentity(key));
  const WriterLock lock(mutex_);
  state_.RemoveIdentity(identity);
  return count;
}

StatusOr<std::vector<TemplateInfo>> Collection::ListTemplates(std::string_view identity,
                                                              uint64_t after, size_t limit) const {
  const ReaderLock lock(mutex_);
  FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* entry, Find(identity));
  std::vector<TemplateInfo> templates;
  auto next =
      std::upper_bound(entry->templates.begin(), entry->templates.end(), after,
                       [](uint64_t id, const TemplateEntry& listed) { return id < listed.id; });
  for (; next != entry->templates.end() && templates.size() < limit; ++next) {
    templates.push_back({.id = next->id,
                         .model = record_.model,
                         .detector = next->detector,
                         .detection_score = next->detection_score,
                         .create_time_us = next->create_time_us});
  }
  return templates;
}

StatusOr<Embedding> Collection::GetEmbedding(std::string_view identity,
                                             uint64_t template_id) const {
  const ReaderLock lock(mutex_);
  FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* entry, Find(identity));
  const auto place = FindTemplate(*entry, template_id);
  if (place == entry->templates.end()) return TemplateNotFound();
  const std::span<const float> values = state_.index().Vector(place->slot);
  return Embedding::FromUnit({values.begin(), values.end()});
}

Status Collection::DeleteTemplate(std::string_view identity, uint64_t template_id) {
  const ReaderLock alive(lifecycle_);
  const MutexLock order(parts_.identity_locks.Of(record_.uid, identity));
  StoredIdentity record;
  {
    const ReaderLock lock(mutex_);
    FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* entry, Find(identity));
    if (FindTemplate(*entry, template_id) == entry->templates.end()) return TemplateNotFound();
    record = {.key = {.collection = record_.uid, .identity = entry->uid},
              .id = std::string(identity),
              .create_time_us = entry->create_time_us,
              .update_time_us = parts_.clock.UnixMicros()};
  }
  FACEGATE_RETURN_IF_ERROR(parts_.store.DeleteTemplate(record, template_id));
  const WriterLock lock(mutex_);
  state_.RemoveTemplate(identity, template_id, record.update_time_us);
  return OkStatus();
}

StatusOr<std::vector<Candidate>> Collection::Search(const Embedding& query, size_t k) const {
  const ReaderLock lock(mutex_);
  FACEGATE_RETURN_IF_ERROR(CheckPresent());
  FACEGATE_ASSIGN_OR_RETURN(const auto matches, state_.index().Search(query.values(), k));
  std::vector<Candidate> candidates;
  candidates.reserve(matches.size());
  for (const IndexMatch& match : matches) {
    candidates.push_back({.identity = state_.NameOf(match.group),
                          .template_id = match.template_id,
                          .cosine = match.cosine});
  }
  return candidates;
}

StatusOr<Candidate> Collection::Score(std::string_view identity, const Embedding& query) const {
  const ReaderLock lock(mutex_);
  FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* entry, Find(identity));
  std::optional<Candidate> best;
  // In ascending order of ids, so that the lower one keeps a tie.
  for (const TemplateEntry& one : entry->templates) {
    const float cosine = CosineScore(query.values(), state_.index().Vector(one.slot));
    if (!best.has_value() || cosine > best->cosine) {
      best = Candidate{.identity = std::string(identity), .template_id = one.id, .cosine = cosine};
    }
  }
  if (!best.has_value()) {
    return Refuse(Reason::kTemplateNotFound, "the identity has no templates");
  }
  return *std::move(best);
}

}  // namespace facegate
