#pragma once

#include <cstddef>
#include <cstdint>
#include <string_view>

#include "face/base/status.h"
#include "face/weights/pickle_value.h"

namespace facegate {

struct Pickle {
  PickleGraph graph;  // text in it points into the bytes given
  PickleRef root = 0;
  size_t size = 0;  // bytes up to and with STOP
};

// Runs the pickle at the front of `bytes` (Python's protocols 1 to 5, as far as torch.save uses
// them) on a machine that only builds values. `base` is added to the offsets in messages.
// kInvalidArgument for an opcode or global that is not allowed (with its name and offset), for a
// pickle that ends early or is inconsistent, and past the bounds of face/weights/pickle_stack.h.
StatusOr<Pickle> RunPickle(std::string_view bytes, uint64_t base);

}  // namespace facegate
