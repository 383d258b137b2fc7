#pragma once

#include <string_view>

#include "face/base/status.h"

namespace facegate {

// An operating point is given as one of these.
enum class OperatingPointKind {
  kMinCosine,  // a threshold itself, -1..1
  kFmr,        // false match rate: how often two different people are taken for one
  kFpir,       // false positive identification rate: how often a search for somebody who is not in
               // the gallery finds somebody
};

// Says whose tables turn a rate into a threshold.
enum class CalibrationSource {
  kModelCard,
  kCollection,  // the collection's own, of the scores between its identities
};

// The strictness of a decision: a raw cosine, or an error rate.
struct OperatingPoint {
  OperatingPointKind kind = OperatingPointKind::kMinCosine;
  double value = 0.0;  // a cosine, or a rate above 0 and below 1
  CalibrationSource calibration = CalibrationSource::kModelCard;
};

// "min_cosine", "fmr", "fpir".
std::string_view OperatingPointName(OperatingPointKind kind);

// kInvalidField at OperatingPointName() when the value is out of its range.
Status CheckOperatingPoint(const OperatingPoint& point);

}  // namespace facegate
