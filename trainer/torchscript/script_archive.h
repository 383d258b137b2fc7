#pragma once

#include <string_view>

#include "face/base/status.h"

namespace facegate {

// True for a file of torch.jit.save: a zip archive that holds code beside its tensors.
bool LooksLikeTorchScript(std::string_view bytes);

// Checks what LibTorch's loader would take memory for: tensors are stored as they are, and code,
// which is compressed, has at most 64 MiB. kInvalidArgument otherwise.
Status CheckScriptArchive(std::string_view bytes);

}  // namespace facegate
