// The part of Collection that changes nothing: what is enrolled, and searches.

#include <algorithm>
#include <cmath>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "index/collection.h"
#include "index/gallery_checks.h"

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

StatusOr<std::vector<Candidate>> Collection::Search(const Embedding& query, size_t k,
                                                    const StopCheck& stop) const {
  const ReaderLock lock(mutex_);
  FACEGATE_RETURN_IF_ERROR(CheckPresent());
  FACEGATE_ASSIGN_OR_RETURN(const auto matches, state_.index().Search(query.values(), k, stop));
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

std::vector<IdentityVectors> Collection::DrawVectors(uint64_t most_comparisons,
                                                     uint64_t seed) const {
  std::vector<std::pair<uint64_t, const IdentityEntry*>> drawn;
  for (const auto& [id, entry] : state_.identities()) {
    if (!entry.templates.empty()) drawn.emplace_back(DrawOf(entry.uid, seed), &entry);
  }
  // Each has a template, so that no more can be compared; to sort a million would take long.
  const auto most = static_cast<size_t>(std::sqrt(static_cast<double>(most_comparisons)));
  if (drawn.size() > most) {
    std::nth_element(drawn.begin(), drawn.begin() + static_cast<ptrdiff_t>(most), drawn.end());
    drawn.resize(most);
  }
  std::sort(drawn.begin(), drawn.end());
  const auto templates_of = [](const auto& one) {
    return std::min(one.second->templates.size(), kComparedTemplates);
  };
  std::vector<size_t> counts;
  std::transform(drawn.begin(), drawn.end(), std::back_inserter(counts), templates_of);
  drawn.resize(IdentitiesWithin(counts, most_comparisons));
  std::vector<IdentityVectors> vectors;
  vectors.reserve(drawn.size());
  for (const auto& one : drawn) {
    IdentityVectors& identity = vectors.emplace_back();
    for (size_t i = 0; i < templates_of(one); ++i) {
      const std::span<const float> vector = state_.index().Vector(one.second->templates[i].slot);
      identity.values.insert(identity.values.end(), vector.begin(), vector.end());
    }
  }
  return vectors;
}

Status Collection::CompareIdentities(uint64_t most_comparisons, uint64_t seed, ScoreSink& sink,
                                     const StopCheck& stop) const {
  std::vector<IdentityVectors> vectors;
  {
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    vectors = DrawVectors(most_comparisons, seed);
  }
  return CompareAll(vectors, static_cast<size_t>(record_.embedding_size), sink, stop);
}

}  // namespace facegate
