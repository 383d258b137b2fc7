#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/network/layer_fields.h"
#include "face/onnx/onnx_model.h"
#include "face/weights/weights.h"

namespace facegate {

// Generated pictures, each N·C·H·W with an N of 1, and what a module gave for them.
struct ScriptProbe {
  std::vector<int64_t> shape{};
  std::vector<std::vector<float>> pictures{};
  std::vector<std::vector<float>> embeddings{};
};

// A network that was a TorchScript module.
struct ScriptNetwork {
  OnnxModel model;  // its operators are those that DescribeGraph() reads
  ScriptProbe probe;
};

// Reads files of torch.jit.save by LibTorch. Its loader runs code that such a file holds: only for
// files of people one trusts. Not thread-safe.
class ScriptReader {
 public:
  virtual ~ScriptReader() = default;
  // Loads a module, and follows what its forward() does with a picture of that size. Initializers
  // are called as its parameters and buffers are. The module itself then runs with the pictures of
  // the probe. kInvalidArgument for what LibTorch refuses, and for an operator that is not known
  // here, by its name.
  virtual StatusOr<ScriptNetwork> Read(const std::string& archive, const network::Sides& sides) = 0;
  // kInvalidArgument where the network's embeddings point elsewhere than those that the module
  // gave, or have another length (unless all of those have the length 1).
  virtual Status Compare(const network::Description& description, const TensorMap& tensors,
                         const ScriptProbe& probe) = 0;
};

// The reader of the module facegate-torchscript, which is opened at the first call and lives as
// long as the process. kFailedPrecondition where the module is missing.
StatusOr<ScriptReader*> OpenScriptReader();

// The type of that module's entry.
using ScriptReaderEntry = ScriptReader* (*)();

}  // namespace facegate
