#pragma once

#include <cstddef>
#include <string_view>

#include "face/base/status.h"
#include "face/decide/calibration.h"

namespace facegate {

inline constexpr size_t kMaxCalibrationBytes = 64 << 10;

// The calibration that CalibrationToJson() wrote. kInvalidArgument, naming the field, for JSON that
// is no calibration: a key that is unknown, missing or there twice, a wrong type, more than
// kMaxCalibrationBytes, or what CheckCalibration() refuses.
StatusOr<Calibration> CalibrationFromJson(std::string_view json);

}  // namespace facegate
