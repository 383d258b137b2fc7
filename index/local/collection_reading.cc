// The part of Collection that changes nothing: what is enrolled, and searches.

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "index/local/collection.h"
#include "index/local/gallery_checks.h"

namespace facegate {

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

StatusOr<std::vector<std::vector<Candidate>>> Collection::Search(std::span<const Embedding> queries,
                                                                 size_t k,
                                                                 const StopCheck& stop) const {
  std::vector<std::vector<Candidate>> found;
  for (const Embedding& query : queries) {
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    FACEGATE_ASSIGN_OR_RETURN(auto candidates, state_.Search(query, k, stop));
    found.push_back(std::move(candidates));
  }
  return found;
}

StatusOr<Candidate> Collection::Score(std::string_view identity, const Embedding& query) const {
  const ReaderLock lock(mutex_);
  FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* entry, Find(identity));
  if (entry->templates.empty()) {
    return Refuse(Reason::kTemplateNotFound, "the identity has no templates");
  }
  return state_.Score(identity, *entry, query);
}

Collection::DrawnVectors Collection::DrawVectors(const SelfComparison& comparison) const {
  const auto is_fit = [&](const TemplateEntry& one) {
    return !one.quality.has_value() || *one.quality >= comparison.least_quality;
  };
  std::vector<std::pair<uint64_t, const IdentityEntry*>> drawn;
  for (const auto& [id, entry] : state_.identities()) {
    if (std::any_of(entry.templates.begin(), entry.templates.end(), is_fit)) {
      drawn.emplace_back(DrawOf(entry.uid, comparison.seed), &entry);
    }
  }
  // Sorting a million would take long.
  const size_t most = IdentitiesWithin(comparison.most_comparisons);
  if (drawn.size() > most) {
    std::nth_element(drawn.begin(), drawn.begin() + static_cast<ptrdiff_t>(most), drawn.end());
    drawn.resize(most);
  }
  std::sort(drawn.begin(), drawn.end());
  DrawnVectors vectors;
  vectors.identities.reserve(drawn.size());
  for (const auto& [draw, entry] : drawn) {
    IdentityVectors& identity = vectors.identities.emplace_back();
    size_t taken = 0;
    for (const TemplateEntry& one : entry->templates) {
      if (taken == kComparedTemplates) break;
      if (!is_fit(one)) {
        vectors.left_out += 1;
        continue;
      }
      const std::span<const float> vector = state_.index().Vector(one.slot);
      identity.values.insert(identity.values.end(), vector.begin(), vector.end());
      taken += 1;
    }
  }
  return vectors;
}

Status Collection::CompareIdentities(const SelfComparison& comparison, ScoreSink& sink,
                                     const StopCheck& stop) const {
  DrawnVectors vectors;
  {
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    vectors = DrawVectors(comparison);
  }
  return CompareAll(vectors.identities, static_cast<size_t>(record_.embedding_size),
                    vectors.left_out, comparison.most_comparisons, sink, stop);
}

}  // namespace facegate
