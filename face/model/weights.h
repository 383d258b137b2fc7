#pragma once

#include <cstdint>
#include <map>
#include <optional>
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

// A tensor outside LibTorch: little-endian elements in C order.
struct Tensor {
  DType dtype = DType::kF32;
  std::vector<int64_t> shape;  // empty for a scalar
  std::string bytes;           // element_count() · SizeOf(dtype) long

  int64_t element_count() const;
  bool operator==(const Tensor&) const = default;
};

// A state dict: tensors by name, in the order of names.
using TensorMap = std::map<std::string, Tensor, std::less<>>;

// sha256 over the architecture's name and then each tensor in the order of names (name, dtype,
// shape, bytes), each part preceded by its length; 64 hexadecimal digits. Metadata does not enter.
std::string ModelDigest(std::string_view architecture, const TensorMap& tensors);

}  // namespace facegate
