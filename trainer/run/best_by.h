#pragma once

#include <array>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "trainer/report/run_rows.h"

namespace facegate {

// The values of checkpoint.best_by that evaluation sets decide.
inline constexpr std::array<std::string_view, 3> kMeasuresOfPairs = {"accuracy", "tar", "eer"};

// The mean of a measure over sets that were evaluated, a row each. More of it is better: an eer is
// negative. NaN where there is no row, or one has no such figure; kInvalidArgument for a measure
// that is none of those above.
StatusOr<double> MeanMeasure(const std::vector<report::EvaluationRow>& rows,
                             std::string_view measure);

}  // namespace facegate
