#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "face/decide/calibration.h"
#include "face/decide/operating_point.h"
#include "face/decide/rates.h"

namespace facegate {

// What must come to the wanted rate.
enum class RateBound {
  kUpper,     // the upper bound of the interval
  kEstimate,  // the rate itself: it is exceeded on half of all other sets
};

// What a decision is made with, and what it claims.
struct Threshold {
  double min_cosine = 0.0;
  // Absent for a raw cosine without a calibration. Of an FMR or FPIR as it was asked for; of a raw
  // cosine an FPIR where a gallery is searched, else an FMR.
  std::optional<ErrorRate> claimed;
  OperatingPointKind claimed_kind = OperatingPointKind::kFmr;  // kFmr or kFpir
  std::string calibration_id;                                  // empty without a calibration
};

// The least threshold from which on `point` holds. `calibration` may be null. `identities` is the
// number of people in the gallery that is searched; 0 for a comparison of two faces, of which an
// FPIR is the FMR.
// kInvalidField when the point's value is out of range; kCalibrationUnsupported, saying what would
// be needed, when there is no calibration for a rate, or the rate is below what its counts support:
// 3 of the number of pairs of people.
StatusOr<Threshold> ThresholdFor(const OperatingPoint& point, const Calibration* calibration,
                                 uint64_t identities, RateBound bound = RateBound::kUpper);

}  // namespace facegate
