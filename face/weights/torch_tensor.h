#pragma once

#include <string_view>

#include "face/base/status.h"
#include "face/weights/pickle_value.h"
#include "face/weights/weights.h"

namespace facegate {

// Bytes of all elements of `storage`; kInvalidArgument when that number does not fit 63 bits.
StatusOr<uint64_t> StorageBytes(const TorchStorage& storage);

// The elements that `tensor` picks out of its storage, whose bytes are `storage_bytes` (as many as
// StorageBytes()), in C order. kInvalidArgument when shape and strides leave the storage, and when
// the tensor has more elements than the storage: strides of 0 or overlapping ones may repeat
// elements, but must not let a small file ask for much memory.
StatusOr<Tensor> MakeContiguous(const PickleGraph& graph, const TorchTensor& tensor,
                                std::string_view storage_bytes);

}  // namespace facegate
