#pragma once

#include <string>

#include "face/base/status.h"
#include "trainer/inspect/set_report.h"
#include "trainer/photos/photo_source.h"

namespace facegate {

// Embeds the photos of a set by the model file `model`, with progress on standard error, and says
// what it makes of their labels (FindLabelNoise()). Photos are crops of the model's template; where
// that is the narrower one of SphereFace, the middle of an ArcFace crop is taken. Others are left
// out. kInvalidArgument where fewer than two are left, with the way out.
StatusOr<SetReport::ModelView> ViewByModel(const std::string& model, const PhotoSource& source,
                                           int threads);

}  // namespace facegate
