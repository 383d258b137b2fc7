#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/model/pickle_value.h"
#include "face/model/weights.h"

namespace facegate {

// The one dict, out of `root` and what is nested in it, that maps names to tensors and to nothing
// else: `root` itself, or below the entries state_dict, model, net, backbone, weights and
// state_dict_backbone, at most three levels deep. kInvalidArgument when there is none, with what
// stands there instead, or when there are several, with where they are.
StatusOr<PickleRef> FindStateDict(const PickleGraph& graph, PickleRef root);

// Drops "module.", "arcface.", "backbone.", "model." and "_orig_mod." from the front of the names,
// as often as all of them share one and none would be left empty.
TensorMap DropSharedPrefixes(TensorMap tensors);

}  // namespace facegate
