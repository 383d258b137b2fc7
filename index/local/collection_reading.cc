// The part of Collection that changes nothing: what is enrolled, and searches.

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <optional>
#include <utility>

#include "face/base/catch.h"
#include "index/local/collection.h"
#include "index/local/gallery_checks.h"

namespace facegate {
namespace {

// The candidates with the highest cosines, of which the best ones after normalisation are the
// answer.
constexpr size_t kNormalised = 50;
// Candidates that are looked up under one lock: a millisecond.
constexpr size_t kResolvedAtOnce = 64;

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

StatusOr<std::shared_ptr<const Cohort>> Collection::CurrentCohort() const {
  CollectionState::CohortMembers members;
  {
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    if (auto known = state_.KnownCohort(members)) return known;
  }
  auto made = members.MakeCohort();
  if (made == nullptr) return made;
  const ReaderLock lock(mutex_);
  state_.KeepCohort(members.version, made);
  return made;
}

StatusOr<CollectionState::SearchView> Collection::View() const {
  const ReaderLock lock(mutex_);
  FACEGATE_RETURN_IF_ERROR(CheckPresent());
  return state_.View();
}

std::optional<std::vector<Candidate>> Collection::ResolvedAtOnce(
    std::span<const IndexMatch> matches, bool of_means, const Embedding& query,
    const Cohort* cohort, std::span<const float> probe_scores) const {
  std::vector<Candidate> candidates;
  candidates.reserve(matches.size());
  for (const IndexMatch& match : matches) {
    std::optional<Candidate> candidate = state_.CandidateOf(match, of_means, query);
    if (!candidate.has_value()) return std::nullopt;
    if (cohort != nullptr) {
      state_.Normalise(*cohort, probe_scores, *state_.Find(candidate->identity), *candidate);
    }
    candidates.push_back(*std::move(candidate));
  }
  return candidates;
}

StatusOr<std::optional<std::vector<Candidate>>> Collection::Resolved(
    const std::vector<IndexMatch>& matches, bool of_means, const Embedding& query,
    const Cohort* cohort, const StopCheck& stop) const {
  std::vector<float> probe_scores;
  if (cohort != nullptr) probe_scores = cohort->Scores(query.values());
  std::vector<Candidate> candidates;
  candidates.reserve(matches.size());
  std::span<const IndexMatch> left(matches);
  while (!left.empty()) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    const auto some = left.first(std::min(left.size(), kResolvedAtOnce));
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    auto resolved = ResolvedAtOnce(some, of_means, query, cohort, probe_scores);
    if (!resolved.has_value()) return resolved;
    std::move(resolved->begin(), resolved->end(), std::back_inserter(candidates));
    left = left.subspan(some.size());
  }
  return std::optional<std::vector<Candidate>>(std::move(candidates));
}

// What is found is looked up when the scan has ended. Where something of it was removed or changed
// by then, another row may have its place, and the search begins again: each time for a change of
// one of the few best among all within the time of a scan, so that it ends soon.
StatusOr<std::vector<std::vector<Candidate>>> Collection::Search(std::span<const Embedding> queries,
                                                                 size_t k,
                                                                 const StopCheck& stop) const {
  using Answers = std::vector<std::vector<Candidate>>;
  return CatchToStatus("searching", [&]() -> StatusOr<Answers> {
    FACEGATE_ASSIGN_OR_RETURN(const auto cohort, CurrentCohort());
    const size_t nearest = k == 0 || cohort == nullptr ? k : std::max(k, kNormalised);
    std::vector<std::span<const float>> vectors;
    vectors.reserve(queries.size());
    for (const Embedding& query : queries) vectors.push_back(query.values());
    for (;;) {
      FACEGATE_ASSIGN_OR_RETURN(const CollectionState::SearchView view, View());
      FACEGATE_ASSIGN_OR_RETURN(const auto found, view.rows->Search(vectors, nearest, stop));
      Answers answers;
      for (size_t i = 0; i < queries.size(); ++i) {
        FACEGATE_ASSIGN_OR_RETURN(
            auto candidates, Resolved(found[i], view.of_means, queries[i], cohort.get(), stop));
        if (!candidates.has_value()) break;
        std::stable_sort(candidates->begin(), candidates->end(),
                         [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
        if (candidates->size() > k) candidates->resize(k);
        answers.push_back(*std::move(candidates));
      }
      if (answers.size() == queries.size()) return answers;
    }
  });
}

StatusOr<Candidate> Collection::Score(std::string_view identity, const Embedding& query) const {
  FACEGATE_ASSIGN_OR_RETURN(const auto cohort, CurrentCohort());
  std::vector<float> probe_scores;
  if (cohort != nullptr) probe_scores = cohort->Scores(query.values());
  const ReaderLock lock(mutex_);
  FACEGATE_ASSIGN_OR_RETURN(const IdentityEntry* entry, Find(identity));
  if (entry->templates.empty()) {
    return Refuse(Reason::kTemplateNotFound, "the identity has no templates");
  }
  Candidate candidate = state_.CosineOf(identity, *entry, query);
  if (cohort != nullptr) state_.Normalise(*cohort, probe_scores, *entry, candidate);
  return candidate;
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
