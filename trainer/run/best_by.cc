#include "trainer/run/best_by.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

namespace facegate {
namespace {

StatusOr<double> MeasureOf(const report::EvaluationRow& row, std::string_view measure) {
  if (measure == "accuracy") return row.accuracy;
  if (measure == "tar") return row.tar_1e3;
  if (measure == "eer") return -row.eer;
  return InvalidArgument(
      fmt::format("sets of pairs have no {}, but {}", measure, fmt::join(kMeasuresOfPairs, ", ")));
}

}  // namespace

StatusOr<double> MeanMeasure(const std::vector<report::EvaluationRow>& rows,
                             std::string_view measure) {
  if (rows.empty()) return report::kNotMeasured;
  double sum = 0.0;
  for (const report::EvaluationRow& row : rows) {
    FACEGATE_ASSIGN_OR_RETURN(const double one, MeasureOf(row, measure));
    sum += one;
  }
  return sum / static_cast<double>(rows.size());
}

}  // namespace facegate
