#pragma once

#include <string>

#include "face/decide/calibration.h"

namespace facegate {

// One object, its keys named as the fields, a table as one array for each column; numbers in the
// shortest form that reads back as the same double. Equal calibrations give equal bytes.
std::string CalibrationToJson(const Calibration& calibration);
// sha256 of CalibrationToJson() without the key "id".
std::string CalibrationId(const Calibration& calibration);

}  // namespace facegate
