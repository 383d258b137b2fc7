#pragma once

// ordered_dict.h needs it, and does not include it.
#include <c10/util/Exception.h>
#include <torch/ordered_dict.h>
#include <torch/types.h>

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// A tensor of a running training and what a checkpoint calls it. The tensor shares its memory with
// the training, which is how reading a checkpoint sets it.
struct NamedTensor {
  std::string name;
  torch::Tensor value;
};

// Adds the parameters or buffers of a module to `state`, by names that begin with `prefix`.
void AddState(const std::string& prefix,
              const torch::OrderedDict<std::string, torch::Tensor>& tensors,
              std::vector<NamedTensor>& state);

// Numbers and texts of a training, by name.
using CheckpointFacts = std::map<std::string, std::string>;

// True when a safetensors file with these metadata is one.
bool IsCheckpoint(const CheckpointFacts& metadata);

// Writes everything a training needs to go on to the bit as one safetensors file, facts in its
// metadata: beside the path, synced, renamed over it. Tensors keep their type.
Status WriteCheckpoint(const std::string& path, const std::vector<NamedTensor>& tensors,
                       const CheckpointFacts& facts);

// Sets `tensors` to what the file holds, and returns its facts. kInvalidArgument, naming tensors,
// unless names, shapes and types are exactly those given; nothing was set then.
StatusOr<CheckpointFacts> ReadCheckpoint(const std::string& path,
                                         const std::vector<NamedTensor>& tensors);

}  // namespace facegate
