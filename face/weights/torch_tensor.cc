#include "face/weights/torch_tensor.h"

#include <fmt/format.h>

#include <cstring>
#include <optional>
#include <span>
#include <utility>
#include <vector>

namespace facegate {
namespace {

// The highest element that is touched, for a tensor that is not empty; nothing when it overflows.
std::optional<int64_t> LastElement(int64_t offset, std::span<const int64_t> shape,
                                   std::span<const int64_t> strides) {
  int64_t last = offset;
  for (size_t i = 0; i < shape.size(); ++i) {
    int64_t reach = 0;
    if (__builtin_mul_overflow(shape[i] - 1, strides[i], &reach) ||
        __builtin_add_overflow(last, reach, &last)) {
      return std::nullopt;
    }
  }
  return last;
}

bool IsContiguous(std::span<const int64_t> shape, std::span<const int64_t> strides) {
  int64_t expected = 1;
  for (size_t i = shape.size(); i-- > 0;) {
    if (shape[i] == 1) continue;
    if (strides[i] != expected) return false;
    expected *= shape[i];
  }
  return true;
}

// Copies element by element; everything is known to lie inside.
std::string Gather(const char* first, std::span<const int64_t> shape,
                   std::span<const int64_t> strides, size_t count, size_t element_bytes) {
  std::string bytes(count * element_bytes, '\0');
  std::vector<int64_t> index(shape.size(), 0);
  int64_t element = 0;
  for (size_t i = 0; i < count; ++i) {
    std::memcpy(bytes.data() + i * element_bytes,
                first + static_cast<size_t>(element) * element_bytes, element_bytes);
    for (size_t axis = shape.size(); axis-- > 0;) {
      element += strides[axis];
      if (++index[axis] < shape[axis]) break;
      element -= strides[axis] * shape[axis];
      index[axis] = 0;
    }
  }
  return bytes;
}

}  // namespace

StatusOr<uint64_t> StorageBytes(const TorchStorage& storage) {
  int64_t bytes = 0;
  if (__builtin_mul_overflow(storage.elements, static_cast<int64_t>(SizeOf(storage.dtype)),
                             &bytes)) {
    return InvalidArgument(fmt::format("a storage of {} elements is too large", storage.elements));
  }
  return static_cast<uint64_t>(bytes);
}

StatusOr<Tensor> MakeContiguous(const PickleGraph& graph, const TorchTensor& tensor,
                                std::string_view storage_bytes) {
  const TorchStorage& storage = *graph.Get<TorchStorage>(tensor.storage);
  const std::vector<int64_t> shape = *graph.Extents(tensor.shape);
  std::vector<int64_t> strides = *graph.Extents(tensor.strides);
  const std::optional<int64_t> count = ElementCount(shape);
  if (!count || *count > storage.view_elements) {
    return InvalidArgument(fmt::format("shape {} has more elements than its storage, which has {}",
                                       ShapeText(shape), storage.view_elements));
  }
  // The length of a step says nothing where there is one step only, and may be anything.
  for (size_t i = 0; i < shape.size(); ++i) {
    if (shape[i] == 1) strides[i] = 0;
  }
  Tensor result{.dtype = storage.dtype, .shape = shape, .bytes = {}};
  if (*count == 0) return result;
  const std::optional<int64_t> last = LastElement(tensor.offset, shape, strides);
  if (!last || *last >= storage.view_elements) {
    return InvalidArgument(
        fmt::format("shape {} with strides {} from element {} leaves its storage of {} elements",
                    ShapeText(shape), ShapeText(strides), tensor.offset, storage.view_elements));
  }
  const size_t element_bytes = SizeOf(storage.dtype);
  const char* const first =
      storage_bytes.data() +
      static_cast<size_t>(storage.view_offset + tensor.offset) * element_bytes;
  const auto elements = static_cast<size_t>(*count);
  result.bytes = IsContiguous(shape, strides)
                     ? std::string(first, elements * element_bytes)
                     : Gather(first, shape, strides, elements, element_bytes);
  return result;
}

}  // namespace facegate
