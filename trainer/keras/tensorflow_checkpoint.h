#pragma once

#include <span>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "face/weights/weights.h"

// The checkpoints that TensorFlow writes (tf.train.Checkpoint, and save_weights() of Keras 2 for a
// name that does not end with ".h5"): PREFIX.index, a sorted table as LevelDB has them
// (github.com/google/leveldb, doc/table_format.md) from names to messages of
// tensorflow/core/protobuf/tensor_bundle.proto, and PREFIX.data-0000i-of-0000n with the numbers.
namespace facegate {

// True for a file that ends as such a table does.
bool LooksLikeTensorFlowIndex(std::string_view bytes);

// "w.ckpt.index" for "w.ckpt" where there is no file of that name, and this one is there; else the
// path itself.
std::string TensorFlowIndexOf(const std::string& path);

// The tensors of 32-bit floats by the names that Keras gave their variables, such as
// "conv1_conv/kernel" (trackable_object_graph.proto has them), for FromKeras(); where a checkpoint
// has no such names, by its own. What an optimiser keeps is left out. `shards` are the files of
// numbers, in their order. kInvalidArgument for what is no index, for compressed tables, slices of
// tensors, numbers in big-endian order, more than 20,000 tensors, and an index of more than 64 MiB;
// kDataLoss where a checksum differs, of numbers or of the names, and where numbers lie outside
// their file or are those of two tensors.
StatusOr<TensorMap> ParseTensorFlowCheckpoint(std::string_view index,
                                              std::span<const std::string> shards);

// How many files of numbers an index says there are: 1 to 1,000. Errors as above.
StatusOr<size_t> TensorFlowShards(std::string_view index);

// The name of one of them: "w.ckpt.data-00000-of-00001" for "w.ckpt.index".
std::string TensorFlowShardPath(std::string_view index_path, size_t shard, size_t shards);

}  // namespace facegate
