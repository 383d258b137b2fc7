#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/network/backbone_file.h"
#include "trainer/command/import_onnx.h"

namespace facegate {

// Takes the backbone out of a file of torch.jit.save, as TakeOnnxBackbone() does of a graph, and
// compares its embeddings with those of the module itself. `allowed`: the one who imports said that
// LibTorch's loader may run what the file holds; kInvalidArgument, naming the option, where not.
// Other errors are those of ScriptReader and of TakeOnnxBackbone().
StatusOr<OnnxBackbone> TakeScriptBackbone(std::string_view bytes, bool allowed,
                                          const BackboneWish& wish);

}  // namespace facegate
