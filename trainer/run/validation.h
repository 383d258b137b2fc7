#pragma once

#include <functional>

#include "face/base/status.h"
#include "face/image/preprocessing.h"
#include "trainer/learn/training.h"
#include "trainer/photos/dataset.h"

namespace facegate {

// What the network makes of labelled photos that it does not learn from, unchanged and each once.
// Those that cannot be used are told and left out. `threads` read them. kInvalidArgument where none
// is left.
StatusOr<ValidationSums> ValidateOn(const Dataset& photos, const Preprocessing& preprocessing,
                                    Training& training, int threads,
                                    const std::function<void(const Status&)>& on_bad_photo);

}  // namespace facegate
