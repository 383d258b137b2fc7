#pragma once

#include <string>
#include <string_view>

#include "face/base/status.h"
#include "face/weights/weights.h"

namespace facegate {

// Turns the tensors of a Keras file (by path, see ParseH5()) into those that PyTorch would have:
//
//   kernel             H·W·in·out           -> weight        out·in·H·W
//   depthwise_kernel   H·W·channels·1       -> weight        channels·1·H·W
//   kernel (dense)     in·out               -> weight        out·in
//   bias, beta                              -> bias
//   gamma                                   -> weight
//   moving_mean, moving_variance            -> running_mean, running_var
//
// under the names of face/network/keras_networks.h: that of the backbone, which its first layer
// tells, or "OutputLayer" for batch norms and dense layers that Keras numbered, which are numbered
// anew from the first. A dense layer after a flattened map takes its numbers in the order H, W, C:
// its inputs are put into the order C, H, W, where C are the channels of the first of those batch
// norms. Tensors of other names stay as they are.
//
// kInvalidArgument, naming the tensor, for shapes that do not fit their name, and for two tensors
// that would have one name.
StatusOr<TensorMap> FromKeras(TensorMap tensors);

// True for what ReadKerasWeights() takes: HDF5 (h5_file.h), and the index of a checkpoint of
// TensorFlow (tensorflow_checkpoint.h).
bool LooksLikeKeras(std::string_view bytes);

struct KerasWeights {
  TensorMap tensors;   // by the names of FromKeras()
  std::string sha256;  // of the file; of a checkpoint, of the index and of what lies beside it
  size_t files = 1;
};

// Reads such a file. `bytes` are those of the file at `path`; the files of numbers beside an index
// are read from there. The errors of what it calls.
StatusOr<KerasWeights> ReadKerasWeights(std::string_view bytes, const std::string& path);

}  // namespace facegate
