// The part of Collection that searches.

#include <algorithm>
#include <cstddef>
#include <iterator>
#include <limits>
#include <utility>

#include "face/base/catch.h"
#include "index/local/collection.h"

namespace facegate {
namespace {

// The candidates with the highest cosines, of which the best ones after normalisation are the
// answer.
constexpr size_t kNormalised = 50;
// So many more are looked for than are wanted: some may be gone by the time that they are looked
// up.
constexpr size_t kSpare = 4;
// So few identities are scored one by one, rather than looked for among all rows.
constexpr size_t kFewIdentities = 500;
// What is looked at under one lock, less than a millisecond: templates that are scored, identities.
constexpr size_t kTemplatesAtOnce = 1000;
constexpr size_t kIdentitiesAtOnce = 1000;

constexpr size_t kAll = std::numeric_limits<size_t>::max();
constexpr double kNoScore = -std::numeric_limits<double>::infinity();

bool HasAll(const Labels& labels, const Labels& wanted) {
  return std::includes(labels.begin(), labels.end(), wanted.begin(), wanted.end());
}

}  // namespace

// One search for all queries. The rows are scanned without the lock, as they were at one moment.
// What that finds are identities, and each gets the score that it has when it is looked up, if it
// is still there. Whoever was not found had a score below `beyond` at that moment; so when enough
// of those that were found have that much now, they are the answer. Those who took over templates
// by a merge meanwhile are looked up as well. When too much has gone, the search is to be made
// again.
class Collection::Searching {
 public:
  using Answers = std::vector<std::vector<Candidate>>;

  Searching(const Collection& collection, const SearchOptions& options, const StopCheck& stop)
      : collection_(collection), options_(options), stop_(stop) {}

  // Nothing when too much has gone.
  StatusOr<std::optional<Answers>> Run(std::span<const Embedding> queries) {
    FACEGATE_RETURN_IF_ERROR(Begin());
    std::vector<Found> found(queries.size());
    if (!few_.has_value()) {
      FACEGATE_ASSIGN_OR_RETURN(found, Scan(queries));
    } else {
      for (Found& all : found) all.identities = *few_;
    }
    Answers answers;
    for (size_t i = 0; i < queries.size(); ++i) {
      FACEGATE_ASSIGN_OR_RETURN(auto candidates, Answer(queries[i], std::move(found[i])));
      if (!candidates.has_value()) return std::optional<Answers>();
      answers.push_back(*std::move(candidates));
    }
    return std::optional<Answers>(std::move(answers));
  }

 private:
  // Where nobody else has a place before.
  struct Beyond {
    double cosine = kNoScore;
    uint64_t order = 0;
  };
  struct Found {
    std::vector<uint64_t> identities;
    Beyond beyond;
  };
  struct Scored {
    uint64_t identity = 0;
    uint64_t order = 0;  // of those with one score
    Candidate candidate;
  };

  static bool IsBefore(const Scored& a, const Scored& b) {
    return a.candidate.score != b.candidate.score ? a.candidate.score > b.candidate.score
                                                  : a.order < b.order;
  }
  static bool IsBefore(const Scored& a, const Beyond& b) {
    const auto score = static_cast<double>(a.candidate.score);
    return score != b.cosine ? score > b.cosine : a.order <= b.order;
  }

  Status Begin() {
    FACEGATE_ASSIGN_OR_RETURN(cohort_, collection_.CurrentCohort(stop_));
    nearest_ =
        options_.k == 0 || cohort_ == nullptr ? options_.k : std::max(options_.k, kNormalised);
    rows_.k = nearest_ == 0 || nearest_ > kAll - kSpare ? nearest_ : nearest_ + kSpare;
    // No cohort makes a score higher, nor is a mean of two above the best.
    rows_.least = options_.least_score.value_or(kNoScore);
    {
      const ReaderLock lock(collection_.mutex_);
      FACEGATE_RETURN_IF_ERROR(collection_.CheckPresent());
      merges_ = collection_.state_.merges();
    }
    if (!options_.labels.empty()) FACEGATE_RETURN_IF_ERROR(ListByLabels());
    const ReaderLock lock(collection_.mutex_);
    FACEGATE_RETURN_IF_ERROR(collection_.CheckPresent());
    FACEGATE_ASSIGN_OR_RETURN(view_, collection_.state_.View());
    // Its proof takes a scan in any case.
    rows_.exact = view_.fusion == Fusion::kMeanOfTwoBest;
    return OkStatus();
  }

  Status ListByLabels() {
    std::vector<uint64_t> identities;
    for (std::optional<uint64_t> from = 0; from.has_value();) {
      FACEGATE_RETURN_IF_ERROR(Ask(stop_));
      const ReaderLock lock(collection_.mutex_);
      from = collection_.state_.labels().List(options_.labels, *from, identities);
    }
    if (identities.size() <= kFewIdentities) {
      few_ = std::move(identities);
    } else {
      rows_.groups = std::make_shared<const GroupFilter>(std::move(identities));
    }
    return OkStatus();
  }

  StatusOr<std::vector<Found>> Scan(std::span<const Embedding> queries) const {
    std::vector<std::span<const float>> vectors;
    vectors.reserve(queries.size());
    for (const Embedding& query : queries) vectors.push_back(query.values());
    FACEGATE_ASSIGN_OR_RETURN(const auto matches, view_.rows->Search(vectors, rows_, stop_));
    std::vector<Found> all;
    for (size_t i = 0; i < queries.size(); ++i) {
      Found found = FoundOf(matches[i]);
      if (view_.fusion == Fusion::kMeanOfTwoBest && matches[i].size() == rows_.k && rows_.k > 0) {
        FACEGATE_ASSIGN_OR_RETURN(found, ScanForTwoBest(queries[i], std::move(found.identities)));
      }
      all.push_back(std::move(found));
    }
    return all;
  }

  Found FoundOf(const std::vector<IndexMatch>& matches) const {
    Found found;
    for (const IndexMatch& match : matches) found.identities.push_back(match.group);
    if (matches.size() == rows_.k && rows_.k > 0) {
      found.beyond = {.cosine = static_cast<double>(matches.back().cosine),
                      .order = matches.back().template_id};
    }
    return found;
  }

  // The mean of the two best is at most the best: whoever has a best of at least the last mean that
  // is needed may be in the answer, and nobody else. `nearest` are those with the best templates.
  StatusOr<Found> ScanForTwoBest(const Embedding& query, std::vector<uint64_t> nearest) const {
    FACEGATE_ASSIGN_OR_RETURN(std::vector<Scored> scored, ScoreAll(query, nearest));
    std::sort(scored.begin(), scored.end(),
              [](const Scored& a, const Scored& b) { return IsBefore(a, b); });
    RowSearch all = rows_;
    all.k = kAll;
    if (scored.size() >= nearest_) {
      const auto last = static_cast<double>(scored[nearest_ - 1].candidate.score);
      all.least = std::max(all.least, last);
    }
    const std::span<const float> vector = query.values();
    FACEGATE_ASSIGN_OR_RETURN(const auto matches, view_.rows->Search({&vector, 1}, all, stop_));
    Found found;
    for (const IndexMatch& match : matches.front()) found.identities.push_back(match.group);
    found.beyond = {.cosine = all.least, .order = std::numeric_limits<uint64_t>::max()};
    return found;
  }

  // The scores that those of the identities have that are still there.
  StatusOr<std::vector<Scored>> ScoreAll(const Embedding& query,
                                         std::span<const uint64_t> identities) const {
    std::vector<Scored> scored;
    scored.reserve(identities.size());
    while (!identities.empty()) {
      FACEGATE_RETURN_IF_ERROR(Ask(stop_));
      const ReaderLock lock(collection_.mutex_);
      FACEGATE_RETURN_IF_ERROR(collection_.CheckPresent());
      const CollectionState& state = collection_.state_;
      for (size_t templates = 0; templates < kTemplatesAtOnce && !identities.empty();
           identities = identities.subspan(1)) {
        const IdentityEntry* const entry = state.FindByNumber(identities.front());
        templates += 1;
        if (entry == nullptr || entry->templates.empty()) continue;
        if (!HasAll(entry->labels, options_.labels)) continue;
        templates += entry->templates.size();
        Scored& one = scored.emplace_back();
        one.identity = entry->uid;
        one.candidate = state.CosineOf({}, *entry, query);
        one.order = state.OrderOf(*entry, one.candidate);
      }
    }
    return scored;
  }

  // Adds those who took over templates since the search began, until nobody has since they were
  // looked up. False when they are too many to be remembered, or scores are made in another way.
  StatusOr<bool> AddHeirs(const Embedding& query, std::vector<Scored>& scored) const {
    for (uint64_t merges = merges_;;) {
      std::vector<uint64_t> heirs;
      {
        const ReaderLock lock(collection_.mutex_);
        FACEGATE_RETURN_IF_ERROR(collection_.CheckPresent());
        const CollectionState& state = collection_.state_;
        const auto since = state.HeirsSince(merges);
        if (!since.has_value() || state.policy().fusion != view_.fusion) return false;
        if (since->empty()) return true;
        merges = state.merges();
        heirs = *since;
      }
      std::sort(heirs.begin(), heirs.end());
      heirs.erase(std::unique(heirs.begin(), heirs.end()), heirs.end());
      std::erase_if(scored, [&](const Scored& one) {
        return std::binary_search(heirs.begin(), heirs.end(), one.identity);
      });
      FACEGATE_ASSIGN_OR_RETURN(std::vector<Scored> more, ScoreAll(query, heirs));
      std::move(more.begin(), more.end(), std::back_inserter(scored));
    }
  }

  StatusOr<std::optional<std::vector<Candidate>>> Answer(const Embedding& query,
                                                         Found found) const {
    using Maybe = std::optional<std::vector<Candidate>>;
    FACEGATE_ASSIGN_OR_RETURN(std::vector<Scored> scored, ScoreAll(query, found.identities));
    FACEGATE_ASSIGN_OR_RETURN(const bool is_known, AddHeirs(query, scored));
    if (!is_known) return Maybe();
    KeepBest(nearest_, scored);
    // Of those below the least score nobody is wanted.
    const bool is_whole = nearest_ == 0 || found.beyond.cosine <= std::max(kNoScore, rows_.least);
    const bool is_enough =
        !is_whole && scored.size() == nearest_ && IsBefore(scored.back(), found.beyond);
    if (!is_whole && !is_enough) return Maybe();
    if (cohort_ != nullptr) {
      FACEGATE_ASSIGN_OR_RETURN(const bool is_there, Normalise(query, scored));
      if (!is_there) return Maybe();
    }
    std::erase_if(scored, [this](const Scored& one) {
      return static_cast<double>(one.candidate.score) < rows_.least;
    });
    KeepBest(options_.k, scored);
    return Named(std::move(scored));
  }

  static void KeepBest(size_t k, std::vector<Scored>& scored) {
    const auto is_before = [](const Scored& a, const Scored& b) { return IsBefore(a, b); };
    if (scored.size() > k) {
      const auto end = scored.begin() + static_cast<std::ptrdiff_t>(k);
      std::nth_element(scored.begin(), end, scored.end(), is_before);
      scored.erase(end, scored.end());
    }
    std::sort(scored.begin(), scored.end(), is_before);
  }

  // False when one of them is gone.
  StatusOr<bool> Normalise(const Embedding& query, std::vector<Scored>& scored) const {
    const std::vector<float> probe_scores = cohort_->Scores(query.values());
    std::vector<float> vector(query.values().size());
    for (Scored& one : scored) {
      FACEGATE_RETURN_IF_ERROR(Ask(stop_));
      {
        const ReaderLock lock(collection_.mutex_);
        FACEGATE_RETURN_IF_ERROR(collection_.CheckPresent());
        const IdentityEntry* const entry = Find(one);
        if (entry == nullptr) return false;
        const std::span<const float> values = collection_.state_.VectorOf(*entry, one.candidate);
        std::copy(values.begin(), values.end(), vector.begin());
      }
      one.candidate.score =
          cohort_->Normalised(one.candidate.cosine, probe_scores, one.identity, vector);
      one.candidate.is_normalised = true;
    }
    std::fill(vector.begin(), vector.end(), 0.0f);
    return true;
  }

  // Null when the identity or its template is gone.
  const IdentityEntry* Find(const Scored& one) const FACEGATE_REQUIRES_SHARED(collection_.mutex_) {
    const IdentityEntry* const entry = collection_.state_.FindByNumber(one.identity);
    if (entry == nullptr) return nullptr;
    const auto place = FindTemplate(*entry, one.candidate.template_id);
    return place == entry->templates.end() ? nullptr : entry;
  }

  // The candidates, if all of them are still there, with the ids that they have now.
  StatusOr<std::optional<std::vector<Candidate>>> Named(std::vector<Scored> scored) const {
    std::vector<Candidate> candidates;
    candidates.reserve(scored.size());
    do {
      FACEGATE_RETURN_IF_ERROR(Ask(stop_));
      const ReaderLock lock(collection_.mutex_);
      FACEGATE_RETURN_IF_ERROR(collection_.CheckPresent());
      const size_t end = std::min(scored.size(), candidates.size() + kIdentitiesAtOnce);
      while (candidates.size() < end) {
        Scored& one = scored[candidates.size()];
        if (Find(one) == nullptr) return std::optional<std::vector<Candidate>>();
        one.candidate.identity = collection_.state_.NameOf(one.identity);
        candidates.push_back(std::move(one.candidate));
      }
    } while (candidates.size() < scored.size());
    return std::optional<std::vector<Candidate>>(std::move(candidates));
  }

  const Collection& collection_;
  const SearchOptions& options_;
  const StopCheck& stop_;
  std::shared_ptr<const Cohort> cohort_;  // null where scores have none
  size_t nearest_ = 0;                    // candidates that are needed before they are normalised
  RowSearch rows_;
  std::optional<std::vector<uint64_t>> few_;  // all who are wanted, where they are few
  uint64_t merges_ = 0;                       // before anything was read
  CollectionState::SearchView view_;
};

StatusOr<std::vector<std::vector<Candidate>>> Collection::Search(std::span<const Embedding> queries,
                                                                 const SearchOptions& options,
                                                                 const StopCheck& stop) const {
  return CatchToStatus("searching", [&]() -> StatusOr<std::vector<std::vector<Candidate>>> {
    for (;;) {
      FACEGATE_ASSIGN_OR_RETURN(auto answers, Searching(*this, options, stop).Run(queries));
      if (answers.has_value()) return *std::move(answers);
    }
  });
}

}  // namespace facegate
