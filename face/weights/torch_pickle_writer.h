#pragma once

#include <string>

#include "face/base/status.h"
#include "face/weights/weights.h"

namespace facegate {

// Makes a file as torch.save writes it of a state dict: a zip archive with the pickle of an
// OrderedDict from names to tensors ("archive/data.pkl", protocol 2), the byte order, the numbers
// of each tensor ("archive/data/N") and the version of the format, 3 (PyTorch 1.6 and later).
// torch.load reads it, also with weights_only=True, and so does ParseTorchPickle(). Tensors stand
// in the order of names, and the same tensors give the same bytes.
//
// kInvalidArgument, naming the tensor, for a name that is empty or not UTF-8 and for bytes that do
// not agree with the shape; and for tensors of 4 GiB together (see ZipWriter).
StatusOr<std::string> SerializeTorchPickle(const TensorMap& tensors);

}  // namespace facegate
