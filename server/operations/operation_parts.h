#pragma once

#include "index/gallery.h"
#include "server/engine/face_engine.h"
#include "server/operations/calibrated_basis.h"
#include "server/operations/quality_policy.h"
#include "server/operations/site_calibrations.h"

namespace facegate {

// The parts that the operations work with; all of them outlive the operations.
struct OperationParts {
  const FaceEngine& engine;
  Gallery& gallery;
  QualityPolicy quality;
  SiteCalibrations& calibrations;

  CalibrationParts of_calibrations() const {
    return {.card = engine.card(), .quality = quality, .calibrations = calibrations};
  }
};

}  // namespace facegate
