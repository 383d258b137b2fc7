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
                 uint64_t identities) {
  return kind == OperatingPointKind::kFpir ? FalsePositiveRateAt(calibration, threshold, identities)
                                           : FalseMatchRateAt(calibration, threshold);
}

// The next number that a float can hold: thresholds meet scores of that type.
double UpToFloat(double value) {
  const auto near = static_cast<float>(value);
  if (static_cast<double>(near) >= value) return static_cast<double>(near);
  return static_cast<double>(std::nextafter(near, std::numeric_limits<float>::infinity()));
}

// The least FMR whose upper bound the counts can hold, and that `point` comes to.
Status CheckSupported(const OperatingPoint& point, const Calibration& calibration,
                      uint64_t identities) {
  const double fmr = point.kind == OperatingPointKind::kFpir
                         ? -std::expm1(std::log1p(-point.value) / static_cast<double>(identities))
                         : point.value;
  const auto pairs = static_cast<double>(calibration.impostor_pairs);
  if (fmr * pairs >= 3.0) return OkStatus();
  const double wanted = 3.0 / fmr;
  std::string what = fmt::format("a false match rate of {:.2g}", fmr);
  if (point.kind == OperatingPointKind::kFpir) {
    what = fmt::format(
        "a false positive identification rate of {:.2g} among {} identities, which is {},",
        point.value, identities, what);
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

StatusOr<Threshold> ThresholdFor(const OperatingPoint& point, const Calibration* calibration,
                                 uint64_t identities, RateBound bound) {
  FACEGATE_RETURN_IF_ERROR(CheckOperatingPoint(point));
  Threshold result;
  result.claimed_kind = point.kind;
  if (point.kind == OperatingPointKind::kMinCosine) {
    result.min_cosine = point.value;
    result.claimed_kind = identities > 0 ? OperatingPointKind::kFpir : OperatingPointKind::kFmr;
    if (calibration == nullptr) return result;
  } else {
    if (calibration == nullptr) {
      return Refuse(Reason::kCalibrationUnsupported,
                    fmt::format("{} needs a calibration, and there is none; facegate-train "
                                "calibrate writes one into the model's card",
                                OperatingPointName(point.kind)));
    }
    const uint64_t size = std::max<uint64_t>(identities, 1);
    FACEGATE_RETURN_IF_ERROR(CheckSupported(point, *calibration, size));
    result.min_cosine = UpToFloat(LeastThreshold(*calibration, point.value, [&](double threshold) {
      const ErrorRate at = RateAt(*calibration, point.kind, threshold, size);
      return bound == RateBound::kUpper ? at.upper : at.rate;
    }));
  }
  result.claimed = RateAt(*calibration, result.claimed_kind, result.min_cosine, identities);
  result.calibration_id = calibration->id;
  return result;
}

}  // namespace facegate
