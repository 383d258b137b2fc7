// The part of Collection that changes nothing: what is enrolled, and searches.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "face/base/catch.h"
#include "index/local/collection.h"
#include "index/local/gallery_checks.h"

namespace facegate {
namespace {

// What is looked at under one lock: a millisecond.
constexpr size_t kIdentitiesAtOnce = 2000;
constexpr size_t kVectorsAtOnce = 64;

// True of a template that takes part in a comparison.
bool IsFit(const TemplateEntry& one, const SelfComparison& comparison) {
  return !one.quality.has_value() || *one.quality >= comparison.least_quality;
}

}  // namespace

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
                         .create_time_us = next->create_time_us,
                         .source_digest = next->source_digest,
                         .source = next->source,
                         .quality = next->quality});
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

StatusOr<std::shared_ptr<const Cohort>> Collection::CurrentCohort(const StopCheck& stop) const {
  CollectionState::CohortMembers members;
  {
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    if (auto known = state_.KnownCohort(members)) return known;
  }
  FACEGATE_ASSIGN_OR_RETURN(auto made, members.MakeCohort(stop));
  if (made == nullptr) return made;
  const ReaderLock lock(mutex_);
  state_.KeepCohort(members.version, made);
  return made;
}

StatusOr<Candidate> Collection::Score(std::string_view identity, const Embedding& query,
                                      const StopCheck& stop) const {
  FACEGATE_ASSIGN_OR_RETURN(const auto cohort, CurrentCohort(stop));
  std::vector<float> probe_scores;
  if (cohort != nullptr) probe_scores = cohort->Scores(query.values());
  const ReaderLock lock(mutex_);
  FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* entry, Find(identity));
  if (entry->templates.empty()) {
    return Refuse(Reason::kTemplateNotFound, "the identity has no templates");
  }
  Candidate candidate = state_.CosineOf(identity, *entry, query);
  if (cohort != nullptr) {
    candidate.score = cohort->Normalised(candidate.cosine, probe_scores, entry->uid,
                                         state_.VectorOf(*entry, candidate));
    candidate.is_normalised = true;
  }
  return candidate;
}

StatusOr<std::vector<uint64_t>> Collection::DrawIdentities(const SelfComparison& comparison,
                                                           const StopCheck& stop) const {
  std::vector<std::pair<uint64_t, uint64_t>> drawn;
  // By number, which stays whatever an identity is called.
  for (std::optional<uint64_t> from = 0; from.has_value();) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    from = state_.VisitFrom(*from, kIdentitiesAtOnce, [&](const IdentityEntry& entry) {
      const bool takes_part =
          std::any_of(entry.templates.begin(), entry.templates.end(),
                      [&](const TemplateEntry& one) { return IsFit(one, comparison); });
      if (takes_part) drawn.emplace_back(DrawOf(entry.uid, comparison.seed), entry.uid);
    });
  }
  // Sorting a million would take long.
  const size_t most = IdentitiesWithin(comparison.most_comparisons);
  if (drawn.size() > most) {
    std::nth_element(drawn.begin(), drawn.begin() + static_cast<ptrdiff_t>(most), drawn.end());
    drawn.resize(most);
  }
  std::sort(drawn.begin(), drawn.end());
  std::vector<uint64_t> identities;
  identities.reserve(drawn.size());
  for (const auto& [draw, identity] : drawn) identities.push_back(identity);
  return identities;
}

// Those that have gone meanwhile are left out.
StatusOr<Collection::DrawnVectors> Collection::DrawVectors(const SelfComparison& comparison,
                                                           const StopCheck& stop) const {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<uint64_t> drawn, DrawIdentities(comparison, stop));
  DrawnVectors vectors;
  vectors.identities.reserve(drawn.size());
  std::span<const uint64_t> left(drawn);
  while (!left.empty()) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    const auto some = left.first(std::min(left.size(), kVectorsAtOnce));
    left = left.subspan(some.size());
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    for (const uint64_t uid : some) {
      if (const IdentityEntry* const entry = state_.FindByNumber(uid)) {
        AddVectors(*entry, comparison, vectors);
      }
    }
  }
  return vectors;
}

void Collection::AddVectors(const IdentityEntry& entry, const SelfComparison& comparison,
                            DrawnVectors& vectors) const {
  IdentityVectors identity;
  size_t taken = 0;
  for (const TemplateEntry& one : entry.templates) {
    if (taken == kComparedTemplates) break;
    if (!IsFit(one, comparison)) {
      vectors.left_out += 1;
      continue;
    }
    const std::span<const float> vector = state_.index().Vector(one.slot);
    identity.values.insert(identity.values.end(), vector.begin(), vector.end());
    taken += 1;
  }
  if (taken > 0) vectors.identities.push_back(std::move(identity));
}

Status Collection::CompareIdentities(const SelfComparison& comparison, ScoreSink& sink,
                                     const StopCheck& stop) const {
  FACEGATE_ASSIGN_OR_RETURN(const DrawnVectors vectors, DrawVectors(comparison, stop));
  return CompareAll(vectors.identities, static_cast<size_t>(record_.embedding_size),
                    vectors.left_out, comparison.most_comparisons, sink, stop);
}

}  // namespace facegate
