#include "index/rows/candidate_selection.h"

#include <algorithm>
#include <cmath>

namespace facegate {
namespace {

bool IsBetter(const IndexMatch& a, const IndexMatch& b) {
  const bool a_is_number = !std::isnan(a.cosine);
  const bool b_is_number = !std::isnan(b.cosine);
  if (a_is_number != b_is_number) return a_is_number;
  if (a_is_number && a.cosine != b.cosine) return a.cosine > b.cosine;
  return a.template_id < b.template_id;
}

}  // namespace

void CandidateSelection::Offer(const Candidate& candidate) {
  if (candidate.upper < floor_) return;
  if (groups_ != nullptr && !groups_->Contains(candidate.group)) return;
  const double of_group = best_.Raise(candidate.group, candidate.lower);
  if (candidate.upper < of_group) return;
  floor_ = std::max(floor_, best_.kth());
  candidates_.push_back(candidate);
  if (candidates_.size() < forget_at_) return;
  Forget();
  forget_at_ = std::max(forget_at_, 2 * candidates_.size());
}

void CandidateSelection::Forget() {
  std::erase_if(candidates_, [this](const Candidate& c) {
    return c.upper < floor_ || c.upper < best_.BoundOf(c.group);
  });
}

std::vector<CandidateSelection::Candidate> CandidateSelection::Take() {
  Forget();
  return std::move(candidates_);
}

std::vector<IndexMatch> BestOfEachGroup(std::vector<IndexMatch> matches, size_t k) {
  std::sort(matches.begin(), matches.end(), [](const IndexMatch& a, const IndexMatch& b) {
    return a.group != b.group ? a.group < b.group : IsBetter(a, b);
  });
  const auto same_group = [](const IndexMatch& a, const IndexMatch& b) {
    return a.group == b.group;
  };
  matches.erase(std::unique(matches.begin(), matches.end(), same_group), matches.end());
  const auto kept = static_cast<std::ptrdiff_t>(std::min(k, matches.size()));
  std::partial_sort(matches.begin(), matches.begin() + kept, matches.end(), IsBetter);
  matches.resize(static_cast<size_t>(kept));
  return matches;
}

}  // namespace facegate
