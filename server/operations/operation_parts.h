#pragma once

#include "index/gallery.h"
#include "server/engine/face_engine.h"
#include "server/operations/comparability.h"

namespace facegate {

// What the operations work with; all of it outlives them.
struct OperationParts {
  const FaceEngine& engine;
  Gallery& gallery;
  QualityPolicy quality;
};

}  // namespace facegate
