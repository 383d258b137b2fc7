#include "index/candidate_selection.h"

#include <algorithm>
#include <cmath>

namespace facegate {
namespace {

// Vectors count as unit vectors when their norm is within 1e-3 of 1 (Embedding::FromUnit()).
constexpr double kLargestNorm = 1.001;

bool IsBetter(const IndexMatch& a, const IndexMatch& b) {
  if (a.cosine != b.cosine) return a.cosine > b.cosine;
  return a.template_id < b.template_id;
}

}  // namespace

double FloatDotErrorBound(size_t dimension) {
  // Higham, "Accuracy and Stability of Numerical Algorithms", 3.1: whatever the order of summation,
  // |fl(x.y) - x.y| <= g(d, u) * sum |x_i y_i| with g(d, u) = d u / (1 - d u), and the sum is at
  // most |x| |y| by Cauchy and Schwarz. u is 2^-24 in float and 2^-53 in double. CosineScore() is
  // the latter, rounded to float: another u of its value. A product in the subnormal range, where
  // the model does not hold, is off by 2^-126 at most even if flushed to zero, and so is a sum.
  const auto d = static_cast<double>(dimension);
  const auto g = [d](double u) { return d * u / (1.0 - d * u); };
  const double float_unit = std::ldexp(1.0, -24);
  const double largest = kLargestNorm * kLargestNorm;
  const double of_float = g(float_unit) * largest;
  const double of_double = g(std::ldexp(1.0, -53)) * largest;
  const double of_rounding = float_unit * (largest + of_double);
  const double of_underflow = d * std::ldexp(1.0, -123);
  // These few operations in double are off by far less than a millionth.
  return (of_float + of_double + of_rounding + of_underflow) * (1.0 + 1e-6);
}

void CandidateSelection::Offer(const Candidate& candidate) {
  if (candidate.approximate < floor_) return;
  candidates_.push_back(candidate);
  Raise(candidate.approximate, candidate.group);
}

void CandidateSelection::Raise(double approximate, uint64_t group) {
  const auto known = best_.find(group);
  if (known != best_.end()) {
    if (approximate <= known->second) return;
    by_score_.erase({known->second, group});
    known->second = approximate;
  } else {
    if (best_.size() == k_) {
      const auto worst = by_score_.begin();
      if (approximate <= worst->first) return;
      best_.erase(worst->second);
      by_score_.erase(worst);
    }
    best_.emplace(group, approximate);
  }
  by_score_.emplace(approximate, group);
  if (best_.size() == k_) floor_ = by_score_.begin()->first - margin_;
}

std::vector<CandidateSelection::Candidate> CandidateSelection::Take() {
  std::erase_if(candidates_, [this](const Candidate& c) { return c.approximate < floor_; });
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
