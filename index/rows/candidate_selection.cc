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
  if (!Raise(candidate)) return;
  candidates_.push_back(candidate);
  if (candidates_.size() < forget_at_) return;
  Forget();
  forget_at_ = std::max(forget_at_, 2 * candidates_.size());
}

void CandidateSelection::Forget() {
  std::erase_if(candidates_, [this](const Candidate& c) {
    if (c.upper < floor_) return true;
    const auto best = best_.find(c.group);
    return best != best_.end() && c.upper < best->second;
  });
}

bool CandidateSelection::Raise(const Candidate& candidate) {
  const double lower = candidate.lower;
  const auto known = best_.find(candidate.group);
  if (known != best_.end()) {
    if (lower <= known->second) return candidate.upper >= known->second;
    by_bound_.erase({known->second, candidate.group});
    known->second = lower;
  } else {
    if (best_.size() == k_) {
      const auto worst = by_bound_.begin();
      if (lower <= worst->first) return true;
      best_.erase(worst->second);
      by_bound_.erase(worst);
    }
    best_.emplace(candidate.group, lower);
  }
  by_bound_.emplace(lower, candidate.group);
  if (best_.size() == k_) floor_ = std::max(floor_, by_bound_.begin()->first);
  return true;
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
