// The part of CollectionState that scores: means of templates, and the cohort.

#include <algorithm>
#include <cmath>
#include <utility>

#include "face/base/catch.h"
#include "face/base/check.h"
#include "index/local/collection_state.h"
#include "index/rows/exact_index.h"

namespace facegate {
namespace {

// No template is without weight.
constexpr double kLeastWeight = 0.05;
constexpr double kLeastLength = 1e-3;

double WeightOf(const TemplateEntry& one) {
  return one.quality.has_value() ? std::max<double>(*one.quality, kLeastWeight) : 1.0;
}

// The mean of an identity's templates, each weighted by its quality where that is known, of length
// 1; the first template where they cancel each other out. Takes no memory.
void FillMean(const IdentityEntry& entry, const VectorIndex& index, std::span<float> mean) {
  double squares = 0.0;
  double weights = 0.0;
  for (const TemplateEntry& one : entry.templates) weights += WeightOf(one);
  for (size_t i = 0; i < mean.size(); ++i) {
    double sum = 0.0;
    for (const TemplateEntry& one : entry.templates) {
      sum += WeightOf(one) * static_cast<double>(index.Vector(one.slot)[i]);
    }
    mean[i] = static_cast<float>(sum / weights);
    squares += static_cast<double>(mean[i]) * static_cast<double>(mean[i]);
  }
  const double length = std::sqrt(squares);
  const std::span<const float> first = index.Vector(entry.templates.front().slot);
  for (size_t i = 0; i < mean.size(); ++i) {
    mean[i] = length < kLeastLength ? first[i]
                                    : static_cast<float>(static_cast<double>(mean[i]) / length);
  }
}

}  // namespace

CollectionState::CollectionState(size_t dimension, const ScorePolicy& policy, SearchParts search)
    : search_(std::move(search)),
      policy_(policy),
      index_(MakeExactIndex(dimension, {.pool = search_.pool})),
      mean_(dimension) {
  if (policy_.fusion == Fusion::kMeanTemplate) {
    means_ = MakeExactIndex(dimension, {.pool = search_.pool});
  }
}

StatusOr<CollectionState::Scoring> CollectionState::PrepareScoring(
    const ScorePolicy& policy) const {
  return CatchToStatus("preparing scores", [&]() -> StatusOr<Scoring> {
    Scoring scoring{.policy = policy, .means = nullptr};
    if (policy.cohort) {
      for (const auto& [id, entry] : identities_) {
        if (!entry.templates.empty()) scoring.draw.Add(entry.uid);
      }
    }
    if (policy.fusion != Fusion::kMeanTemplate) return scoring;
    scoring.means = MakeExactIndex(index_->dimension(), {.pool = search_.pool});
    FACEGATE_RETURN_IF_ERROR(scoring.means->Reserve(identities_.size()));
    scoring.slots.reserve(identities_.size());
    std::vector<float> mean(index_->dimension());
    for (const auto& [id, entry] : identities_) {
      if (entry.templates.empty()) continue;
      FillMean(entry, *index_, mean);
      scoring.slots.push_back(scoring.means->Add(entry.uid, entry.templates.front().id, mean));
    }
    std::fill(mean.begin(), mean.end(), 0.0f);
    scoring.means->Release(identities_.size() - scoring.slots.size());
    return scoring;
  });
}

std::unique_ptr<VectorIndex> CollectionState::TakeScoring(Scoring scoring) {
  auto slot = scoring.slots.begin();
  for (auto& [id, entry] : identities_) {
    entry.mean.reset();
    if (scoring.means != nullptr && !entry.templates.empty()) entry.mean = *slot++;
  }
  policy_ = scoring.policy;
  std::swap(means_, scoring.means);
  means_search_.reset();
  draw_ = std::move(scoring.draw);
  ForgetCohort();
  return std::move(scoring.means);
}

void CollectionState::FollowTemplates(IdentityEntry& entry, Reservation& room) {
  if (entry.templates.empty()) {
    Forget(entry);
    entry.mean.reset();
    return;
  }
  if (means_ != nullptr) {
    FillMean(entry, *index_, mean_);
    if (entry.mean.has_value()) means_->Remove(*entry.mean);
    room.mean.Use();
    entry.mean = means_->Add(entry.uid, entry.templates.front().id, mean_);
    std::fill(mean_.begin(), mean_.end(), 0.0f);
  }
  if (policy_.cohort && draw_.Add(entry.uid)) ForgetCohort();
}

void CollectionState::Forget(const IdentityEntry& entry) {
  if (entry.mean.has_value()) means_->Remove(*entry.mean);
  if (!policy_.cohort) return;
  if (draw_.Remove(entry.uid)) ForgetCohort();
  if (!draw_.IsUsedUp()) return;
  draw_.Clear();
  for (const auto& [id, other] : identities_) {
    if (other.uid != entry.uid && !other.templates.empty()) draw_.Add(other.uid);
  }
}

void CollectionState::ForgetCohort() {
  const MutexLock lock(cohort_mutex_);
  cohort_.reset();
  cohort_version_ += 1;
}

std::span<const float> CollectionState::VectorOf(const IdentityEntry& entry) const {
  return entry.mean.has_value() ? means_->Vector(*entry.mean)
                                : index_->Vector(entry.templates.front().slot);
}

std::shared_ptr<const Cohort> CollectionState::KnownCohort(CohortMembers& members) const {
  if (!policy_.cohort || draw_.size() < kLeastCohort) return nullptr;
  {
    const MutexLock lock(cohort_mutex_);
    if (cohort_ != nullptr) return cohort_;
    members.version = cohort_version_;
  }
  members.identities = draw_.Members();
  members.values.reserve(members.identities.size() * index_->dimension());
  for (const uint64_t uid : members.identities) {
    const std::span<const float> vector = VectorOf(EntryOf(uid));
    members.values.insert(members.values.end(), vector.begin(), vector.end());
  }
  return nullptr;
}

StatusOr<std::shared_ptr<const Cohort>> CollectionState::CohortMembers::MakeCohort(
    const StopCheck& stop) const {
  if (identities.empty()) return std::shared_ptr<const Cohort>();
  const size_t dimension = values.size() / identities.size();
  std::vector<Cohort::Member> members;
  members.reserve(identities.size());
  for (size_t i = 0; i < identities.size(); ++i) {
    members.push_back(
        {.identity = identities[i], .vector = std::span(values).subspan(i * dimension, dimension)});
  }
  return Cohort::Make(members, stop);
}

void CollectionState::KeepCohort(uint64_t version, std::shared_ptr<const Cohort> cohort) const {
  const MutexLock lock(cohort_mutex_);
  if (cohort_version_ == version) cohort_ = std::move(cohort);
}

Candidate CollectionState::CosineOf(std::string_view identity, const IdentityEntry& entry,
                                    const Embedding& query) const {
  Candidate best{.identity = std::string(identity), .cosine = -2.0f};
  float second = -2.0f;
  // The order is that of ascending ids, so that the lower one keeps a tie.
  for (const TemplateEntry& one : entry.templates) {
    const float cosine = CosineScore(query.values(), index_->Vector(one.slot));
    second = std::max(second, std::min(cosine, best.cosine));
    if (cosine <= best.cosine) continue;
    best.template_id = one.id;
    best.cosine = cosine;
  }
  if (policy_.fusion == Fusion::kMeanOfTwoBest && entry.templates.size() > 1) {
    best.cosine =
        static_cast<float>((static_cast<double>(best.cosine) + static_cast<double>(second)) / 2);
  }
  if (entry.mean.has_value()) {
    best.cosine = CosineScore(query.values(), means_->Vector(*entry.mean));
  }
  best.score = best.cosine;
  return best;
}

std::span<const float> CollectionState::VectorOf(const IdentityEntry& entry,
                                                 const Candidate& candidate) const {
  return entry.mean.has_value() ? means_->Vector(*entry.mean)
                                : index_->Vector(FindTemplate(entry, candidate.template_id)->slot);
}

bool CollectionState::SetFinder(VectorIndex& index, SearchKind kind,
                                std::optional<SearchKind>& known) noexcept {
  if (known == kind) return true;
  known.reset();
  try {
    if (index.SetFinder(MakeFinder(search_, kind, index.dimension())).ok()) known = kind;
  } catch (...) {
    known.reset();
  }
  // The finder of before is not to be asked any more, either.
  if (!known.has_value()) FACEGATE_CHECK(index.SetFinder(nullptr).ok());
  return known.has_value();
}

bool CollectionState::SetSearch(SearchKind kind) noexcept {
  // Means come first where a card has little room: behind them templates are searched for guards
  // alone, and these are exact.
  const bool has_means = means_ == nullptr || SetFinder(*means_, kind, means_search_);
  return SetFinder(*index_, means_ == nullptr ? kind : SearchKind::kExact, index_search_) &&
         has_means;
}

ApproximateSearch CollectionState::approximate() const {
  const VectorIndex& searched = means_ != nullptr ? *means_ : *index_;
  const std::shared_ptr<RowFinder> finder = searched.finder();
  if (finder == nullptr || !finder->is_approximate()) return {};
  const FinderState state = finder->state();
  return {.indexed = std::min(state.rows, searched.size()), .recall = state.recall};
}

StatusOr<CollectionState::SearchView> CollectionState::View() const {
  SearchView view{.rows = nullptr, .fusion = policy_.fusion};
  FACEGATE_ASSIGN_OR_RETURN(view.rows, (means_ != nullptr ? *means_ : *index_).View());
  return view;
}

}  // namespace facegate
