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

// The candidates with the highest cosines, of which the best ones after normalisation are the
// answer.
constexpr size_t kNormalised = 50;
// Candidates that are looked up under one lock: a millisecond.
constexpr size_t kResolvedAtOnce = 64;
constexpr size_t kListedAtOnce = 2000;  // identities, or templates that are scored, the same
// So few identities are scored one by one, rather than looked for among all rows.
constexpr size_t kFewIdentities = 500;

// True of a template that takes part in a comparison.
bool IsFit(const TemplateEntry& one, const SelfComparison& comparison) {
  return !one.quality.has_value() || *one.quality >= comparison.least_quality;
}

void SortByTemplate(std::vector<Candidate>& candidates) {
  std::sort(candidates.begin(), candidates.end(),
            [](const Candidate& a, const Candidate& b) { return a.template_id < b.template_id; });
}

// The k best of the candidates, as far as they are wanted; of equal ones the first.
void KeepBest(const RowSearch& wanted, size_t k, std::vector<Candidate>& candidates) {
  std::erase_if(candidates, [&](const Candidate& candidate) {
    return static_cast<double>(candidate.score) < wanted.least;
  });
  std::stable_sort(candidates.begin(), candidates.end(),
                   [](const Candidate& a, const Candidate& b) { return a.score > b.score; });
  if (candidates.size() > k) candidates.resize(k);
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

StatusOr<std::vector<uint64_t>> Collection::IdentitiesWith(const Labels& labels,
                                                           const StopCheck& stop) const {
  std::vector<uint64_t> identities;
  for (std::optional<uint64_t> from = 0; from.has_value();) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    const ReaderLock lock(mutex_);
    from = state_.labels().List(labels, *from, identities);
  }
  return identities;
}

StatusOr<std::vector<Candidate>> Collection::ScoreFew(const Searching& searching,
                                                      const Embedding& query) const {
  std::vector<Candidate> candidates;
  for (size_t i = 0; i < searching.identities.size();) {
    FACEGATE_RETURN_IF_ERROR(Ask(searching.stop));
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    size_t templates = 0;
    for (; i < searching.identities.size() && templates < kListedAtOnce; ++i) {
      const IdentityEntry* const entry = state_.FindByNumber(searching.identities[i]);
      if (entry == nullptr || entry->templates.empty()) continue;
      templates += entry->templates.size();
      candidates.push_back(state_.CosineOf(state_.NameOf(entry->uid), *entry, query));
    }
  }
  SortByTemplate(candidates);
  KeepBest(searching.rows, searching.rows.k, candidates);
  if (searching.cohort == nullptr) return candidates;
  const std::vector<float> probe_scores = searching.cohort->Scores(query.values());
  for (Candidate& candidate : candidates) {
    FACEGATE_RETURN_IF_ERROR(Ask(searching.stop));
    const ReaderLock lock(mutex_);
    const IdentityEntry* const entry = state_.Find(candidate.identity);
    if (entry == nullptr || FindTemplate(*entry, candidate.template_id) == entry->templates.end()) {
      candidate.score = -std::numeric_limits<float>::infinity();  // it is gone
    } else {
      state_.Normalise(*searching.cohort, probe_scores, *entry, candidate);
    }
  }
  std::erase_if(candidates, [](const Candidate& one) { return std::isinf(one.score); });
  return candidates;
}

Collection::MaybeCandidates Collection::ResolvedAtOnce(const Searching& searching,
                                                       const Embedding& query,
                                                       std::span<const IndexMatch> matches,
                                                       std::span<const float> probe_scores) const {
  std::vector<Candidate> candidates;
  candidates.reserve(matches.size());
  for (const IndexMatch& match : matches) {
    std::optional<Candidate> candidate = state_.CandidateOf(match, searching.view.fusion, query);
    if (!candidate.has_value()) return std::nullopt;
    if (searching.cohort != nullptr) {
      state_.Normalise(*searching.cohort, probe_scores, *state_.Find(candidate->identity),
                       *candidate);
    }
    candidates.push_back(*std::move(candidate));
  }
  return candidates;
}

StatusOr<Collection::MaybeCandidates> Collection::Resolved(
    const Searching& searching, const Embedding& query,
    const std::vector<IndexMatch>& matches) const {
  std::vector<float> probe_scores;
  if (searching.cohort != nullptr) probe_scores = searching.cohort->Scores(query.values());
  std::vector<Candidate> candidates;
  candidates.reserve(matches.size());
  std::span<const IndexMatch> left(matches);
  while (!left.empty()) {
    FACEGATE_RETURN_IF_ERROR(Ask(searching.stop));
    const auto some = left.first(std::min(left.size(), kResolvedAtOnce));
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    auto resolved = ResolvedAtOnce(searching, query, some, probe_scores);
    if (!resolved.has_value()) return resolved;
    std::move(resolved->begin(), resolved->end(), std::back_inserter(candidates));
    left = left.subspan(some.size());
  }
  return MaybeCandidates(std::move(candidates));
}

// The mean of the two best is at most the best: whoever has one of at least the k-th mean so far may
// be among the k best, and nobody else.
StatusOr<std::vector<IndexMatch>> Collection::AllForTwoBest(
    const Searching& searching, const Embedding& query, const std::vector<Candidate>& found) const {
  RowSearch all = searching.rows;
  all.k = std::numeric_limits<size_t>::max();
  for (const Candidate& candidate : found) {
    all.least = std::min(all.least, static_cast<double>(candidate.cosine));
  }
  const std::span<const float> vector = query.values();
  FACEGATE_ASSIGN_OR_RETURN(auto matches,
                            searching.view.rows->Search({&vector, 1}, all, searching.stop));
  return std::move(matches.front());
}

StatusOr<std::optional<std::vector<std::vector<Candidate>>>> Collection::SearchOnce(
    const Searching& searching, std::span<const Embedding> queries) const {
  using Answers = std::vector<std::vector<Candidate>>;
  std::vector<std::span<const float>> vectors;
  vectors.reserve(queries.size());
  for (const Embedding& query : queries) vectors.push_back(query.values());
  FACEGATE_ASSIGN_OR_RETURN(const auto found,
                            searching.view.rows->Search(vectors, searching.rows, searching.stop));
  Answers answers;
  for (size_t i = 0; i < queries.size(); ++i) {
    FACEGATE_ASSIGN_OR_RETURN(MaybeCandidates candidates,
                              Resolved(searching, queries[i], found[i]));
    if (!candidates.has_value()) return std::optional<Answers>();
    if (searching.view.fusion == Fusion::kMeanOfTwoBest && candidates->size() == searching.rows.k &&
        searching.rows.k > 0) {
      FACEGATE_ASSIGN_OR_RETURN(const auto all, AllForTwoBest(searching, queries[i], *candidates));
      FACEGATE_ASSIGN_OR_RETURN(candidates, Resolved(searching, queries[i], all));
      if (!candidates.has_value()) return std::optional<Answers>();
    }
    if (searching.view.fusion == Fusion::kMeanOfTwoBest) SortByTemplate(*candidates);
    KeepBest(searching.rows, searching.k, *candidates);
    answers.push_back(*std::move(candidates));
  }
  return std::optional<Answers>(std::move(answers));
}

StatusOr<std::optional<std::vector<std::vector<Candidate>>>> Collection::SearchFew(
    const Searching& searching, std::span<const Embedding> queries) const {
  std::vector<std::vector<Candidate>> answers;
  for (const Embedding& query : queries) {
    FACEGATE_ASSIGN_OR_RETURN(std::vector<Candidate> candidates, ScoreFew(searching, query));
    KeepBest(searching.rows, searching.k, candidates);
    answers.push_back(std::move(candidates));
  }
  return std::optional(std::move(answers));
}

// What is found is looked up when the scan has ended. Where something of it was removed or changed
// by then, another row may have its place, and the search begins again: each time for a change of
// one of the few best among all within the time of a scan, so that it ends soon.
StatusOr<std::vector<std::vector<Candidate>>> Collection::Search(std::span<const Embedding> queries,
                                                                 const SearchOptions& options,
                                                                 const StopCheck& stop) const {
  using Answers = std::vector<std::vector<Candidate>>;
  return CatchToStatus("searching", [&]() -> StatusOr<Answers> {
    for (;;) {
      Searching searching{.view = {}, .cohort = nullptr, .rows = {}, .k = options.k, .stop = stop};
      FACEGATE_ASSIGN_OR_RETURN(searching.cohort, CurrentCohort());
      searching.rows.k = options.k == 0 || searching.cohort == nullptr
                             ? options.k
                             : std::max(options.k, kNormalised);
      // No cohort makes a score higher, nor is a mean of two above the best.
      searching.rows.least = options.least_score.value_or(searching.rows.least);
      if (!options.labels.empty()) {
        FACEGATE_ASSIGN_OR_RETURN(searching.identities, IdentitiesWith(options.labels, stop));
        if (searching.identities.size() > kFewIdentities) {
          searching.rows.groups =
              std::make_shared<const GroupFilter>(std::move(searching.identities));
        }
      }
      FACEGATE_ASSIGN_OR_RETURN(searching.view, View());
      const bool few = !options.labels.empty() && searching.rows.groups == nullptr;
      FACEGATE_ASSIGN_OR_RETURN(
          auto answers, few ? SearchFew(searching, queries) : SearchOnce(searching, queries));
      if (answers.has_value()) return *std::move(answers);
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

StatusOr<std::vector<uint64_t>> Collection::DrawIdentities(const SelfComparison& comparison,
                                                           const StopCheck& stop) const {
  std::vector<std::pair<uint64_t, uint64_t>> drawn;
  std::string after;
  for (bool more = true; more;) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    const ReaderLock lock(mutex_);
    FACEGATE_RETURN_IF_ERROR(CheckPresent());
    const CollectionState::Identities& identities = state_.identities();
    auto next = identities.upper_bound(after);
    for (size_t i = 0; i < kListedAtOnce && next != identities.end(); ++i, ++next) {
      const IdentityEntry& entry = next->second;
      const bool takes_part =
          std::any_of(entry.templates.begin(), entry.templates.end(),
                      [&](const TemplateEntry& one) { return IsFit(one, comparison); });
      if (takes_part) drawn.emplace_back(DrawOf(entry.uid, comparison.seed), entry.uid);
    }
    more = next != identities.end();
    if (more) after = std::prev(next)->first;
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
    const auto some = left.first(std::min(left.size(), kResolvedAtOnce));
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
