#include "index/rows/cohort.h"

#include <faiss/utils/distances.h>

#include <algorithm>
#include <functional>
#include <numeric>

#include "face/base/check.h"
#include "index/rows/self_comparison.h"

namespace facegate {
namespace {

// The seed of the draw is fixed, so that a collection has the same cohort after each start.
constexpr uint64_t kSeed = 0xC0407;

size_t HighestOf(size_t members) { return members / 10; }

}  // namespace

CohortDraw::CohortDraw() { drawn_.reserve(kReserve + 1); }

std::vector<CohortDraw::Drawn>::iterator CohortDraw::PlaceOf(uint64_t identity) {
  return std::lower_bound(drawn_.begin(), drawn_.end(),
                          Drawn{.draw = DrawOf(identity, kSeed), .identity = identity});
}

bool CohortDraw::Add(uint64_t identity) {
  const auto place = PlaceOf(identity);
  if (place != drawn_.end() && place->identity == identity) return IsMember(place);
  // Where somebody was left out, one behind the last of the reserve may be behind him, too.
  if (place == drawn_.end() && (!knows_all_ || drawn_.size() == kReserve)) {
    knows_all_ = false;
    return false;
  }
  const auto added = drawn_.insert(place, {.draw = DrawOf(identity, kSeed), .identity = identity});
  const bool is_member = IsMember(added);
  if (drawn_.size() > kReserve) {
    drawn_.pop_back();
    knows_all_ = false;
  }
  return is_member;
}

bool CohortDraw::Remove(uint64_t identity) {
  const auto place = PlaceOf(identity);
  if (place == drawn_.end() || place->identity != identity) return false;
  const bool was_member = IsMember(place);
  drawn_.erase(place);
  return was_member;
}

void CohortDraw::Clear() {
  drawn_.clear();
  knows_all_ = true;
}

std::vector<uint64_t> CohortDraw::Members() const {
  std::vector<uint64_t> members;
  members.reserve(size());
  for (size_t i = 0; i < size(); ++i) members.push_back(drawn_[i].identity);
  return members;
}

Cohort::Cohort(std::span<const Member> members) : dimension_(members.front().vector.size()) {
  FACEGATE_CHECK(members.size() >= kLeastCohort);
  identities_.reserve(members.size());
  vectors_.reserve(members.size() * dimension_);
  for (const Member& member : members) {
    identities_.push_back(member.identity);
    vectors_.insert(vectors_.end(), member.vector.begin(), member.vector.end());
  }
}

StatusOr<std::shared_ptr<const Cohort>> Cohort::Make(std::span<const Member> members,
                                                     const StopCheck& stop) {
  const std::shared_ptr<Cohort> cohort(new Cohort(members));
  // Some members are enough, so that a new cohort costs a few milliseconds; any number would do, as
  // long as it is the same for all scores.
  for (const Member& member : members.first(kLeastCohort)) {
    FACEGATE_RETURN_IF_ERROR(Ask(stop));
    cohort->usual_ += cohort->Common(cohort->Scores(member.vector), member.identity) / kLeastCohort;
  }
  return std::shared_ptr<const Cohort>(cohort);
}

Cohort::~Cohort() { std::fill(vectors_.begin(), vectors_.end(), 0.0f); }

std::vector<float> Cohort::Scores(std::span<const float> vector) const {
  FACEGATE_CHECK(vector.size() == dimension_);
  std::vector<float> scores(identities_.size());
  faiss::fvec_inner_products_ny(scores.data(), vector.data(), vectors_.data(), dimension_,
                                scores.size());
  return scores;
}

double Cohort::Common(std::span<const float> scores, uint64_t identity) const {
  std::vector<float> others;
  others.reserve(scores.size());
  for (size_t i = 0; i < scores.size(); ++i) {
    if (identities_[i] != identity) others.push_back(scores[i]);
  }
  const auto end = others.begin() + static_cast<std::ptrdiff_t>(HighestOf(identities_.size()));
  std::nth_element(others.begin(), end, others.end(), std::greater<>());
  // They are added in one order, so that the sum is the same whatever the sorting left behind.
  std::sort(others.begin(), end);
  return std::accumulate(others.begin(), end, 0.0) / static_cast<double>(end - others.begin());
}

float Cohort::Normalised(float cosine, std::span<const float> probe_scores, uint64_t identity,
                         std::span<const float> vector) const {
  const double common = Common(probe_scores, identity) + Common(Scores(vector), identity);
  return static_cast<float>(static_cast<double>(cosine) - std::max(0.0, common / 2 - usual_));
}

}  // namespace facegate
