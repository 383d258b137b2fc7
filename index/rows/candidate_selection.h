#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <vector>

#include "index/rows/best_groups.h"
#include "index/rows/group_filter.h"
#include "index/rows/vector_index.h"

namespace facegate {

// The first pass of an exact search: from bounds of the scores of all rows, in one go, picks those
// that can be in the exact answer.
//
// Let each row's exact score lie between its two bounds, and T be the k-th highest among the
// groups' best lower bounds. Those k groups have exact scores of at least T, hence so has the k-th
// best group of the exact answer, and every row of the answer, or tied with one. Such a row has an
// upper bound of at least T. T only grows while rows are offered, so what is below it once can be
// forgotten.
//
// A row with an upper bound below the best lower bound of its own group is not that group's best.
//
// Rows may be offered to several selections and what these took to one: a row that is not among
// what one took is below its T, which is not above the T of all rows, or below another row of its
// group, and the rows that these come from are taken.
class CandidateSelection {
 public:
  struct Candidate {
    double lower = 0.0;
    double upper = 0.0;
    uint64_t group = 0;
    uint64_t template_id = 0;
    const float* vector = nullptr;
  };

  // `k` is at least 1; scores below `least`, and rows of groups that are not among `groups` (null:
  // all are wanted), are not wanted.
  explicit CandidateSelection(size_t k, double least = -std::numeric_limits<double>::infinity(),
                              const GroupFilter* groups = nullptr)
      : groups_(groups), floor_(least), best_(k) {}

  // Rows with an upper bound below this need not be offered.
  double floor() const { return floor_; }
  void Offer(const Candidate& candidate);
  // Returns the rows that can be in the answer, in the order offered.
  std::vector<Candidate> Take();

 private:
  void Forget();

  const GroupFilter* groups_;
  double floor_;
  std::vector<Candidate> candidates_;
  size_t forget_at_ = 1024;  // candidates: what is below the floor is dropped then
  BestGroups best_;
};

// The last pass: of matches with exact scores, the best of each group, in the order of Search(), at
// most `k`. A score that is no number comes after all others.
std::vector<IndexMatch> BestOfEachGroup(std::vector<IndexMatch> matches, size_t k);

}  // namespace facegate
