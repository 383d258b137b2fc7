// The module facegate-torchscript: what import opens for a file that LibTorch's loader runs.

#include "face/base/module.h"
#include "trainer/torchscript/torch_script_reader.h"

FACEGATE_MODULE(facegate::TorchScriptReader);
