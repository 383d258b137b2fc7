#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/decide/calibration.h"
#include "face/decide/calibration_builder.h"
#include "trainer/measure/embedding_set.h"

namespace facegate {

// A calibration, and what people should know about how it was made.
struct CalibratedSet {
  Calibration calibration;
  std::vector<std::string> remarks;
};

// Calibrates on all people of a set: the folder of a photo names its person, the first of his
// photos in name order is taken as enrolled. Photos without a face are left out, and count in
// `facts`: photos_left_out is increased by them. Of somebody with more than 32 photos so many are
// used, evenly spaced; of a set with too many people for CalibrationBuilder a sample is. Both are
// said in the remarks. kInvalidArgument for a photo without a folder, and for fewer people than
// Calibration::kLeastPeople.
StatusOr<CalibratedSet> CalibrateSet(const EmbeddingSet& set, CalibrationFacts facts);

}  // namespace facegate
