#pragma once

#include <optional>
#include <string_view>

#include "face/base/status.h"
#include "face/weights/pickle_value.h"

// The few names that a pickle of weights may use, and what calling them means. Nothing is imported
// and nothing runs: the results are descriptions.
namespace facegate {

// collections.OrderedDict, torch._utils._rebuild_tensor_v2, torch._utils._rebuild_parameter and
// torch.FloatStorage, DoubleStorage, HalfStorage, BFloat16Storage, LongStorage, IntStorage,
// ShortStorage, CharStorage, ByteStorage, BoolStorage. Nothing for any other name.
std::optional<PickleGlobal> FindPickleGlobal(std::string_view module, std::string_view name);

// The name of the storage that holds such elements, as "FloatStorage" holds kF32.
std::string_view TorchStorageName(DType dtype);

// OrderedDict() or OrderedDict([(key, value), ...]), as Python 2 wrote it.
StatusOr<PickleDict> MakeOrderedDict(const PickleGraph& graph, const PickleTuple& arguments);

// _rebuild_tensor_v2(storage, offset, shape, strides, requires_grad, hooks[, metadata]). Metadata
// (a negative or conjugate view) is refused: it would change values. Shape and strides are checked
// to be alike and of at most kMaxDimensions, nothing is checked against the storage.
StatusOr<TorchTensor> MakeTensor(const PickleGraph& graph, const PickleTuple& arguments);

// _rebuild_parameter(tensor, requires_grad, hooks): the tensor itself.
StatusOr<PickleRef> MakeParameter(const PickleGraph& graph, const PickleTuple& arguments);

// A persistent id: ('storage', type, key, location, elements), in the legacy format with a sixth
// item, None or (key, offset, elements) of a view.
StatusOr<TorchStorage> MakeStorage(const PickleGraph& graph, PickleRef id);

}  // namespace facegate
