#pragma once

#include "facegate/v1/gallery_service.pb.h"
#include "server/operations/calibrated_basis.h"

namespace facegate {

void FillCalibration(const CalibrationReport& report, v1::GetCalibrationResponse* out);

}  // namespace facegate
