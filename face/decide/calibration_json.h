#pragma once

#include <cstddef>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "face/decide/calibration.h"

namespace facegate {

inline constexpr size_t kMaxCalibrationBytes = 64 << 10;

// One object, its keys named as the fields, a table as one array for each column; numbers in the
// shortest form that reads back as the same double. Equal calibrations give equal bytes.
std::string CalibrationToJson(const Calibration& calibration);
// sha256 of CalibrationToJson() without the key "id".
std::string CalibrationId(const Calibration& calibration);
// kInvalidArgument, naming the field, for JSON that is no calibration: a key that is unknown,
// missing or there twice, a wrong type, more than kMaxCalibrationBytes, or what CheckCalibration()
// refuses.
StatusOr<Calibration> CalibrationFromJson(std::string_view json);

}  // namespace facegate
