#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string_view>

#include "face/base/status.h"
#include "face/weights/pickle_stack.h"
#include "face/weights/pickle_value.h"

namespace facegate {

struct Pickle {
  PickleGraph graph;  // text in it points into the bytes given
  PickleRef root = 0;
  size_t size = 0;  // bytes up to and with STOP
};

struct PickleName {
  std::string_view module;
  std::string_view name;
};

// Says which globals a pickle may name; the default is what weights have. What it points at
// outlives the call.
struct PickleVocabulary {
  // Those of face/weights/pickle_global.h, and persistent ids.
  bool tensors = true;
  // Whoever reads the values knows what calls of these would give: they become PickleCall values.
  std::span<const PickleName> described{};
  std::string_view what = "weights";  // messages call the pickle this
  // Ends the message on a global that is not allowed.
  std::string_view way_out = " (save model.state_dict(), or a dict of it with plain values only)";
  size_t max_bytes = kMaxPickleBytes;
};

// Runs the pickle at the front of `bytes` (Python's protocols 1 to 5, as far as torch.save and
// pickles of bytes and arrays use them) on a machine that only builds values. `base` is added to
// the offsets in messages. kInvalidArgument for an opcode or global that is not allowed (with its
// name and offset), for a pickle that ends early or is inconsistent, and past the bounds of
// face/weights/pickle_stack.h.
StatusOr<Pickle> RunPickle(std::string_view bytes, uint64_t base,
                           const PickleVocabulary& vocabulary = {});

}  // namespace facegate
