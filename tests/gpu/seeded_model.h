#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/weights/model_file.h"

namespace facegate {

// A model that recognises nobody: RandomWeights(), but that each unit of an iResNet adds half as
// much to its input. Else the sums of a hundred units pass 65,504, which is all that FP16 can hold.
// kInvalidArgument for an unknown architecture.
StatusOr<ModelFile> SeededModel(std::string_view architecture);

}  // namespace facegate
