#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/model/weights.h"

namespace facegate {

// The state dict of a file that Python's torch.save wrote: the zip format (PyTorch 1.6 and later)
// or the legacy one (magic 0x1950a86a20f9469cfc6c, protocol 1001). A restricted pickle machine: it
// builds dicts, lists, tuples, numbers, strings and tensors, executes nothing, and knows no names
// but collections.OrderedDict, torch._utils._rebuild_tensor_v2, torch._utils._rebuild_parameter and
// torch's storages.
//
// The state dict is found inside a nested checkpoint: the value itself when it maps names to
// tensors, else the entry state_dict, model, net, backbone, weights or state_dict_backbone,
// searched in that order; ambiguity is refused with the candidates named. Prefixes that all names
// share out of "module.", "arcface.", "backbone.", "model.", "_orig_mod." are dropped, also
// repeatedly. kInvalidArgument for anything else: an unknown opcode or global by name and offset,
// storages that are too short, strides that leave their storage, compressed zip entries.
//
// Only the tensors of that state dict are copied. Together they may have four times the bytes of
// the file (tensors may share a storage) and at most 4 GiB; one tensor never has more elements than
// its storage.
StatusOr<TensorMap> ParseTorchPickle(std::string_view bytes);

}  // namespace facegate
