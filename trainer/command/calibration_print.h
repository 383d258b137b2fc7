#pragma once

#include <ostream>
#include <string>

#include "face/decide/calibration.h"

namespace facegate {

// Says what a calibration is of, in one line: set, counts, failure to acquire, quality.
std::string CalibrationSummary(const Calibration& calibration);

// Thresholds for false match rates of 1e-1, 1e-2 … and for false positive identification rates in
// galleries of several sizes, as far as the counts support them, each with the interval in which it
// lies on other people and with the share of genuine faces that it refuses.
void PrintCalibration(const Calibration& calibration, std::ostream& out);
void PrintCalibrationJson(const Calibration& calibration, std::ostream& out);

}  // namespace facegate
