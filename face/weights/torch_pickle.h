#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/weights/weights.h"

namespace facegate {

// The state dict of a file that Python's torch.save wrote: the zip format (PyTorch 1.6 and later)
// or the legacy one (magic 0x1950a86a20f9469cfc6c, protocol 1001). A restricted pickle machine: it
// builds dicts, lists, tuples, numbers, strings and tensors, executes nothing, and knows no names
// but collections.OrderedDict, torch._utils._rebuild_tensor_v2, torch._utils._rebuild_parameter and
// torch's storages.
//
// kInvalidArgument for anything else: an unknown opcode or global by name and offset, storages that
// are too short, strides that leave their storage, compressed zip entries; a file of another kind
// is called by its name.
//
// The first form takes the largest dict of named tensors, wherever it is nested (see
// FindStateDicts()); prefixes that all names share out of "module.", "arcface.", "backbone.",
// "model.", "_orig_mod." are dropped, also repeatedly.
//
// Only the tensors that are wanted are copied. Together they may have four times the bytes of the
// file (tensors may share a storage) and at most 4 GiB; one tensor never has more elements than its
// storage.
StatusOr<TensorMap> ParseTorchPickle(std::string_view bytes);

// A dict of tensors inside a checkpoint, before anything is copied.
struct StateDictShapes {
  std::string path{};   // see StateDictPlace
  TensorMap tensors{};  // types and shapes; no bytes
};

// Chooses a dict, by its number, and tensors of it, by their names in the file.
struct TensorChoice {
  size_t dict = 0;
  std::vector<std::string> names{};
};
using ChooseTensors = std::function<StatusOr<TensorChoice>(const std::vector<StateDictShapes>&)>;

// The tensors that `choose` wants, under their names in the file.
StatusOr<TensorMap> ParseTorchPickle(std::string_view bytes, const ChooseTensors& choose);

}  // namespace facegate
