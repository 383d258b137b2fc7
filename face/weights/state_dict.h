#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/weights/pickle_value.h"
#include "face/weights/weights.h"

namespace facegate {

// A dict that names tensors, inside a checkpoint.
struct StateDictPlace {
  PickleRef dict = 0;
  std::string
      path{};  // the keys and numbers that lead to it, such as "model.backbone"; may be empty
  size_t tensors = 0;  // its entries that are named tensors, 1 or more
};

// All dicts out of `root` and what is nested in it, in dicts, lists and tuples under any keys, that
// have named tensors; at most eight levels deep, each once. kInvalidArgument when there is none,
// with what stands there instead.
StatusOr<std::vector<StateDictPlace>> FindStateDicts(const PickleGraph& graph, PickleRef root);

// The one with the most tensors. kInvalidArgument, naming them, when several have as many.
StatusOr<StateDictPlace> LargestStateDict(const std::vector<StateDictPlace>& places);

// Drops "module.", "arcface.", "backbone.", "model." and "_orig_mod." from the front of the names,
// as often as all of them share one and none would be left empty.
TensorMap DropSharedPrefixes(TensorMap tensors);

}  // namespace facegate
