#include "face/decide/threshold.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <functional>
#include <limits>

namespace facegate {
namespace {

constexpr int kHalvings = 40;

ErrorRate RateAt(const Calibration& calibration, OperatingPointKind kind, double threshold,
                 const DecisionScope& scope) {
  if (kind == OperatingPointKind::kFpir) {
    return FalsePositiveRateAt(calibration, threshold, std::max<uint64_t>(scope.searched, 1));
  }
  ErrorRate rate = FalseMatchRateAt(calibration, threshold);
  if (scope.templates <= 1) return rate;
  // Boole's inequality; the least is that of one.
  const auto templates = static_cast<double>(scope.templates);
  rate.rate = std::min(1.0, templates * rate.rate);
  rate.upper = std::min(1.0, templates * rate.upper);
  rate.by_formula = true;
  return rate;
}

// The next number that a float can hold: thresholds meet scores of that type.
double UpToFloat(double value) {
  const auto near = static_cast<float>(value);
  if (static_cast<double>(near) >= value) return static_cast<double>(near);
  return static_cast<double>(std::nextafter(near, std::numeric_limits<float>::infinity()));
}

// The least FMR whose upper bound the counts can hold, and that `point` comes to.
Status CheckSupported(const OperatingPoint& point, const Calibration& calibration,
                      const DecisionScope& scope) {
  const double fmr =
      point.kind == OperatingPointKind::kFpir
          ? -std::expm1(std::log1p(-point.value) /
                        static_cast<double>(std::max<uint64_t>(scope.searched, 1)))
          : point.value / static_cast<double>(std::max<uint64_t>(scope.templates, 1));
  const auto pairs = static_cast<double>(calibration.impostor_pairs);
  if (fmr * pairs >= 3.0) return OkStatus();
  const double wanted = 3.0 / fmr;
  std::string what = fmt::format("a false match rate of {:.2g}", fmr);
  if (point.kind == OperatingPointKind::kFpir) {
    what = fmt::format(
        "a false positive identification rate of {:.2g} among {} templates, which is {},",
        point.value, scope.searched, what);
  }
  return Refuse(
      Reason::kCalibrationUnsupported,
      fmt::format("{} needs a calibration with {:.2g} pairs of people, a photo each of {:.0f}; the "
                  "calibration has {} pairs of {} people, which support a false match rate from "
                  "{:.2g} on",
                  what, wanted, std::ceil(0.5 + std::sqrt(2.0 * wanted)),
                  calibration.impostor_pairs, calibration.people, 3.0 / pairs));
}

// The least threshold from which on `value` is at most `wanted`; it is so at the table's last row.
double LeastThreshold(const Calibration& calibration, double wanted,
                      const std::function<double(double)>& value) {
  const auto& rows = calibration.false_match;
  size_t row = rows.size() - 1;
  while (row > 0 && value(rows[row - 1].threshold) <= wanted) --row;
  double holds = rows[row].threshold;
  if (row == 0) return holds;
  double fails = rows[row - 1].threshold;
  for (int i = 0; i < kHalvings; ++i) {
    const double middle = 0.5 * (fails + holds);
    (value(middle) <= wanted ? holds : fails) = middle;
  }
  return holds;
}

}  // namespace

StatusOr<Threshold> ThresholdFor(const OperatingPoint& asked, const Calibration* calibration,
                                 const DecisionScope& scope, RateBound bound) {
  FACEGATE_RETURN_IF_ERROR(CheckOperatingPoint(asked));
  const bool search = scope.searched > 0;
  OperatingPoint point = asked;
  if (point.kind == OperatingPointKind::kFpir && !search) point.kind = OperatingPointKind::kFmr;
  Threshold result;
  result.claimed_kind = point.kind;
  if (point.kind == OperatingPointKind::kMinCosine) {
    result.min_cosine = point.value;
    result.claimed_kind = search ? OperatingPointKind::kFpir : OperatingPointKind::kFmr;
    if (calibration == nullptr) return result;
  } else {
    if (calibration == nullptr) {
      return Refuse(Reason::kCalibrationUnsupported,
                    fmt::format("{} needs a calibration, and there is none; facegate-train "
                                "calibrate writes one into the model's card",
                                OperatingPointName(asked.kind)));
    }
    FACEGATE_RETURN_IF_ERROR(CheckSupported(point, *calibration, scope));
    result.min_cosine = UpToFloat(LeastThreshold(*calibration, point.value, [&](double threshold) {
      const ErrorRate at = RateAt(*calibration, point.kind, threshold, scope);
      return bound == RateBound::kUpper ? at.upper : at.rate;
    }));
    if (result.min_cosine > 1.0) {
      return Refuse(Reason::kCalibrationUnsupported,
                    fmt::format("{} {:g} is rarer than equal faces of different people are in the "
                                "calibration; some of its people are the same",
                                OperatingPointName(asked.kind), point.value));
    }
  }
  result.claimed = RateAt(*calibration, result.claimed_kind, result.min_cosine, scope);
  result.calibration_id = calibration->id;
  return result;
}

}  // namespace facegate
