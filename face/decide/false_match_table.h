#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "face/base/status.h"
#include "face/base/stop_check.h"
#include "face/decide/calibration.h"
#include "face/decide/score_matrix.h"

namespace facegate {

// The rows of photos of each person: those of person i are order[begin[i]] to order[begin[i + 1]].
struct RowsOfPeople {
  explicit RowsOfPeople(const ScoreMatrix& matrix);
  std::span<const uint32_t> of(size_t person) const {
    return std::span(order).subspan(begin[person], begin[person + 1] - begin[person]);
  }

  std::vector<uint32_t> begin;
  std::vector<uint32_t> order;
};

struct FalseMatchCounts {
  std::vector<FalseMatchRow> rows;
  MatchedPairs matched;  // comparisons above `floor`
};

// Counts all pairs of people. Everybody has a photo. What `stop` says when it says so.
StatusOr<FalseMatchCounts> CountFalseMatches(const ScoreMatrix& matrix, const RowsOfPeople& photos,
                                             uint16_t floor, const StopCheck& stop);

// A genuine score.
struct GenuineScore {
  uint32_t person = 0;
  float score = 0.0F;
};
std::vector<FalseNonMatchRow> CountFalseNonMatches(std::span<const GenuineScore> scores,
                                                   size_t people);

}  // namespace facegate
