#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"

namespace facegate {

enum class DType { kBool, kU8, kI8, kI16, kI32, kI64, kF16, kBF16, kF32, kF64 };

// Bytes of one element.
size_t SizeOf(DType dtype);
// The names of safetensors: "BOOL", "U8", "I8", "I16", "I32", "I64", "F16", "BF16", "F32", "F64".
std::string_view DTypeName(DType dtype);
std::optional<DType> DTypeFromName(std::string_view name);

// Tensors of more dimensions than this are refused; LibTorch's own limit.
inline constexpr size_t kMaxDimensions = 64;

// The product of the extents (1 for none). Nothing when an extent is negative or when the product
// of those above 0 does not fit: an extent of 0 does not excuse the others.
std::optional<int64_t> ElementCount(std::span<const int64_t> shape);
// "[64, 3, 3, 3]"
std::string ShapeText(std::span<const int64_t> shape);

// A tensor outside LibTorch: little-endian elements in C order.
struct Tensor {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;  // empty for a scalar
  std::string bytes;           // element_count() · SizeOf(dtype) long

  // -1 for a shape that has no ElementCount().
  int64_t element_count() const { return ElementCount(shape).value_or(-1); }
  bool operator==(const Tensor&) const = default;
};

// A state dict: tensors by name, in the order of names.
using TensorMap = std::map<std::string, Tensor, std::less<>>;

// Checks what the writers of weight files ask for: names are UTF-8, not empty and not
// "__metadata__", shapes have at most kMaxDimensions, and bytes agree with type and shape.
// kInvalidArgument otherwise, naming the tensor.
Status CheckTensors(const TensorMap& tensors);

// sha256 over the architecture's name and then each tensor in the order of names (byte by byte),
// 64 hexadecimal digits. Metadata does not enter. With part(x) = u64 little-endian length of x,
// then x, the bytes hashed are
//
//   part(architecture), and for each tensor
//   part(name) part(DTypeName(dtype)) part(extents of the shape, each i64 little-endian)
//   part(bytes)
//
// Stored in cards, templates and collections: do not change it.
std::string ModelDigest(std::string_view architecture, const TensorMap& tensors);

}  // namespace facegate
