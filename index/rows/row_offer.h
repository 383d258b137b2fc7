#pragma once

#include <cmath>
#include <cstddef>
#include <limits>

#include "index/rows/candidate_selection.h"
#include "index/rows/row_scan.h"

namespace facegate {

// Offers a row of the piece, if the snapshot has it, whose dot product in float32 is `score`, which
// is off by `error` at most; of a vector whose product is no number nothing is known.
inline void OfferRow(const RowPiece& piece, size_t row, float score, double error,
                     CandidateSelection& selection) {
  constexpr double kInfinity = std::numeric_limits<double>::infinity();
  const auto product = static_cast<double>(score);
  const bool is_known = std::isfinite(product);
  if (is_known && product + error < selection.floor()) return;
  const RowLabel label = piece.segment->LabelOf(row);
  if (!label.IsIn(piece.snapshot)) return;
  selection.Offer({.lower = is_known ? product - error : -kInfinity,
                   .upper = is_known ? product + error : kInfinity,
                   .group = label.group,
                   .template_id = label.template_id,
                   .vector = piece.segment->Vector(row).data()});
}

}  // namespace facegate
