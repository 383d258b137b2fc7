#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "face/decide/calibration.h"
#include "face/decide/operating_point.h"
#include "face/decide/rates.h"

namespace facegate {

// Says what must come to the wanted rate.
enum class RateBound {
  kUpper,     // the upper bound of the interval
  kEstimate,  // the rate itself: it is exceeded on half of all other sets
};

// The cosine that a decision is made with, and the error rate that it claims.
struct Threshold {
  double min_cosine = 0.0;
  // Absent for a raw cosine without a calibration. Of an FMR or FPIR as it was asked for; of a raw
  // cosine an FPIR where a gallery is searched, else an FMR.
  std::optional<ErrorRate> claimed;
  OperatingPointKind claimed_kind = OperatingPointKind::kFmr;  // kFmr or kFpir
  std::string calibration_id;                                  // empty without a calibration
};

// Says what a face is compared with. A calibration knows people with one photo each; where people
// have several templates, the best one counts, and each is one more chance to err.
struct DecisionScope {
  // The templates of the gallery, in a search (1:N); each is taken as a person of its own, so that
  // the rate is rather too high. 0: no search.
  uint64_t searched = 0;
  // The templates of the identity, in a comparison (1:1). The rates of all are added up.
  uint64_t templates = 1;
};

// The least threshold from which on what is asked for holds; -1..1. `calibration` may be null. Of a
// comparison an FPIR is the FMR.
// kInvalidField when the point's value is out of range; kCalibrationUnsupported, saying what would
// be needed, when there is no calibration for a rate, when the rate is below what its counts
// support (3 of the number of pairs of people), or when not even equal faces are so rare in it.
StatusOr<Threshold> ThresholdFor(const OperatingPoint& asked, const Calibration* calibration,
                                 const DecisionScope& scope, RateBound bound = RateBound::kUpper);

}  // namespace facegate
