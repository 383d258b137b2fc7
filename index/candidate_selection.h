#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

#include "index/vector_index.h"

namespace facegate {

// A bound of |float32 dot product - CosineScore()| of two unit vectors of `dimension` values, in
// whatever order the float32 sum was taken (SIMD lanes, blocks, fused or not).
double FloatDotErrorBound(size_t dimension);

// The first pass of an exact search: from approximate scores of all rows, in one go, picks those
// that can be in the exact answer.
//
// Let e bound the error of each approximate score, and T be the k-th highest among the groups' best
// approximate scores. Those k groups have exact scores of at least T - e, hence so has the k-th
// best group of the exact answer, and every row of the answer, or tied with one. Such a row has an
// approximate score of at least T - 2e. T only grows while rows are offered, so what is below
// T - 2e once can be forgotten.
class CandidateSelection {
 public:
  struct Candidate {
    double approximate = 0.0;
    uint64_t group = 0;
    uint64_t template_id = 0;
    VectorIndex::Slot slot;
  };

  // `k` is at least 1.
  CandidateSelection(size_t k, double error_bound) : k_(k), margin_(2.0 * error_bound) {}

  // Rows below this need not be offered.
  double floor() const { return floor_; }
  void Offer(const Candidate& candidate);
  // Returns the rows that can be in the answer, in the order offered.
  std::vector<Candidate> Take();

 private:
  void Raise(double approximate, uint64_t group);

  const size_t k_;
  const double margin_;
  double floor_ = -std::numeric_limits<double>::infinity();
  std::vector<Candidate> candidates_;
  // The best k groups so far, by group and by score.
  std::unordered_map<uint64_t, double> best_;
  std::set<std::pair<double, uint64_t>> by_score_;
};

// The second pass: of matches with exact scores, the best of each group, in the order of Search(),
// at most `k`.
std::vector<IndexMatch> BestOfEachGroup(std::vector<IndexMatch> matches, size_t k);

}  // namespace facegate
