#pragma once

#include "trainer/torchscript/script_reader.h"

namespace facegate {

// The reader itself, with LibTorch.
ScriptReader* TorchScriptReader();

}  // namespace facegate
