// The part of Collection that adds: plans, guards, writes.

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "index/local/collection.h"
#include "index/local/gallery_checks.h"

namespace facegate {

StatusOr<Collection::Plan> Collection::PlanEnrolment(std::string_view identity,
                                                     std::span<const NewTemplate> templates,
                                                     const EnrolOptions& options) {
  Plan plan;
  {
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    const IdentityEntry* known = state_.Find(identity);
    if (known != nullptr && options.must_be_new) {
      return Refuse(Reason::kIdentityExists, "there is an identity with this id");
    }
    plan.is_new = known == nullptr;
    FACEGATE_RETURN_IF_ERROR(
        CheckTemplateCount(templates.size() + (plan.is_new ? 0 : known->templates.size())));
    plan.change.identities.push_back(Changed(identity, plan.is_new ? IdentityEntry() : *known));
  }
  StoredIdentity& record = plan.change.identities.front();
  const int64_t now = record.update_time_us;
  FACEGATE_ASSIGN_OR_RETURN(uint64_t uid,
                            parts_.store.ReserveUids(templates.size() + (plan.is_new ? 1 : 0)));
  if (plan.is_new) {
    record.key.identity = uid++;
    record.create_time_us = now;
  }
  plan.change.templates.reserve(templates.size());
  for (const NewTemplate& added : templates) {
    plan.change.templates.push_back(
        {.key = {.owner = record.key, .generation = record_.generation, .template_id = uid++},
         .embedding = added.embedding,
         .model = record_.model,
         .detector = added.detector,
         .detection_score = added.detection_score,
         .create_time_us = now,
         .source_digest = added.source_digest,
         .source = added.source,
         .quality = added.quality});
  }
  return plan;
}

Status Collection::CheckConsistent(std::string_view identity,
                                   std::span<const NewTemplate> templates, float from) const {
  const ReaderLock lock(mutex_);
  const IdentityEntry* known = state_.Find(identity);
  const size_t count = known == nullptr ? 0 : known->templates.size();
  const VectorIndex& index = state_.index();
  for (size_t i = 0; i < templates.size(); ++i) {
    if (count == 0 && i == 0) continue;
    const std::span<const float> values = templates[i].embedding.values();
    const auto meets_stored = [&](const TemplateEntry& stored) {
      return CosineScore(values, index.Vector(stored.slot)) >= from;
    };
    const auto meets_new = [&](const NewTemplate& before) {
      return CosineScore(values, before.embedding.values()) >= from;
    };
    const std::span<const NewTemplate> earlier = templates.first(i);
    if (std::any_of(earlier.begin(), earlier.end(), meets_new)) continue;
    if (count > 0 && std::any_of(known->templates.begin(), known->templates.end(), meets_stored)) {
      continue;
    }
    return AtField(Refuse(Reason::kIdentityMismatch,
                          "the face does not match the other faces of the identity"),
                   fmt::format("[{}]", i));
  }
  return OkStatus();
}

StatusOr<PendingFaces::Place> Collection::EnterPending(std::string_view identity,
                                                       std::span<const NewTemplate> templates,
                                                       const EnrolOptions& options,
                                                       const StopCheck& stop) {
  if (!options.unique_from.has_value()) return pending_.Enter(identity, templates);
  return pending_.Enter(identity, templates, *options.unique_from, stop);
}

// Whatever comes after the faces got their place among the pending ones meets them there, so what
// these searches find is all that there is.
Status Collection::CheckUnique(std::string_view identity, std::span<const NewTemplate> templates,
                               float from, const StopCheck& stop) const {
  constexpr size_t kNearest = 2;  // one may be the identity itself
  std::vector<std::span<const float>> faces;
  faces.reserve(templates.size());
  for (const NewTemplate& one : templates) faces.push_back(one.embedding.values());
  for (;;) {
    std::unique_ptr<IndexView> rows;
    {
      const ReaderLock lock(mutex_);
      FACEGATE_ASSIGN_OR_RETURN(rows, state_.index().View());
    }
    FACEGATE_ASSIGN_OR_RETURN(
        const auto nearest,
        rows->Search(faces, {.k = kNearest, .least = from, .exact = true}, stop));
    const ReaderLock lock(mutex_);
    bool is_gone = false;  // something of it: another row may have its place
    for (size_t i = 0; i < templates.size(); ++i) {
      for (const IndexMatch& match : nearest[i]) {
        const std::string* const other = state_.OwnerOf(match);
        is_gone = is_gone || other == nullptr;
        if (other == nullptr || *other == identity) continue;
        const Status refused =
            Refuse(Reason::kDuplicateFace, "the face belongs to another identity already");
        return AtField(WithMetadata(refused, "identity_id", *other), fmt::format("[{}]", i));
      }
    }
    if (!is_gone) return OkStatus();
  }
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
                                        const EnrolOptions& options,
                                        const Receipt<EnrolResult>& receipt,
                                        const StopCheck& stop) {
  const ReaderLock alive(lifecycle_);
  const MutexLock order(parts_.identity_locks.Of(record_.uid, identity));
  FACEGATE_ASSIGN_OR_RETURN(const PendingFaces::Place place,
                            EnterPending(identity, templates, options, stop));
  FACEGATE_ASSIGN_OR_RETURN(Plan plan, PlanEnrolment(identity, templates, options));
  if (options.consistent_from.has_value()) {
    FACEGATE_RETURN_IF_ERROR(CheckConsistent(identity, templates, *options.consistent_from));
  }
  if (options.unique_from.has_value()) {
    FACEGATE_RETURN_IF_ERROR(CheckUnique(identity, templates, *options.unique_from, stop));
  }
  FACEGATE_ASSIGN_OR_RETURN(auto room, MakeRoom(plan.added().size()));
  CollectionState::Addition addition;
  {
    const ReaderLock lock(mutex_);
    addition = state_.Prepare(plan.identity(), plan.added());
  }
  EnrolResult result{.identity = InfoOf(identity, addition.entry()),
                     .template_ids = {},
                     .created_identity = plan.is_new};
  for (const StoredTemplate& added : plan.added()) {
    result.template_ids.push_back(added.key.template_id);
  }
  FACEGATE_RETURN_IF_ERROR(parts_.ledger.Keep(receipt, result, plan.identity().key, plan.change));
  FACEGATE_RETURN_IF_ERROR(parts_.writer.Write(plan.change, stop));
  const WriterLock lock(mutex_);
  state_.Commit(std::move(addition), plan.added(), room);
  return result;
}

}  // namespace facegate
