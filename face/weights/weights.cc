#include "face/weights/weights.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <array>
#include <utility>

#include "face/base/coding.h"
#include "face/base/sha256.h"
#include "face/base/utf8.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

struct DTypeFacts {
  DType dtype;
  std::string_view name;
  size_t size;
};

constexpr std::array<DTypeFacts, 10> kDTypes = {{
    {DType::kBool, "BOOL", 1},
    {DType::kU8, "U8", 1},
    {DType::kI8, "I8", 1},
    {DType::kI16, "I16", 2},
    {DType::kI32, "I32", 4},
    {DType::kI64, "I64", 8},
    {DType::kF16, "F16", 2},
    {DType::kBF16, "BF16", 2},
    {DType::kF32, "F32", 4},
    {DType::kF64, "F64", 8},
}};

const DTypeFacts& FactsOf(DType dtype) { return kDTypes[static_cast<size_t>(dtype)]; }

void HashPart(Sha256& hash, std::string_view part) {
  std::string length;
  AppendLittleEndian(length, static_cast<uint64_t>(part.size()));
  hash.Update(length);
  hash.Update(part);
}

}  // namespace

size_t SizeOf(DType dtype) { return FactsOf(dtype).size; }

std::string_view DTypeName(DType dtype) { return FactsOf(dtype).name; }

std::optional<DType> DTypeFromName(std::string_view name) {
  for (const DTypeFacts& facts : kDTypes) {
    if (facts.name == name) return facts.dtype;
  }
  return std::nullopt;
}

std::optional<int64_t> ElementCount(std::span<const int64_t> shape) {
  int64_t product = 1;
  bool empty = false;
  for (const int64_t extent : shape) {
    if (extent < 0) return std::nullopt;
    if (extent == 0) {
      empty = true;
    } else if (__builtin_mul_overflow(product, extent, &product)) {
      return std::nullopt;
    }
  }
  return empty ? 0 : product;
}

std::string ShapeText(std::span<const int64_t> shape) {
  return fmt::format("[{}]", fmt::join(shape, ", "));
}

Status CheckTensors(const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors) {
    if (name.empty() || name == "__metadata__" || !IsUtf8(name)) {
      return InvalidArgument(fmt::format("no tensor can have the name {}", Quote(name)));
    }
    const int64_t count = tensor.element_count();
    if (tensor.shape.size() > kMaxDimensions || count < 0 ||
        tensor.bytes.size() / SizeOf(tensor.dtype) != static_cast<uint64_t>(count) ||
        tensor.bytes.size() % SizeOf(tensor.dtype) != 0) {
      return InvalidArgument(fmt::format("tensor {} of type {} and shape {} has {} bytes",
                                         Quote(name), DTypeName(tensor.dtype),
                                         ShapeText(tensor.shape), tensor.bytes.size()));
    }
  }
  return OkStatus();
}

std::string ModelDigest(std::string_view architecture, const TensorMap& tensors) {
  Sha256 hash;
  HashPart(hash, architecture);
  for (const auto& [name, tensor] : tensors) {
    HashPart(hash, name);
    HashPart(hash, DTypeName(tensor.dtype));
    std::string shape;
    for (const int64_t extent : tensor.shape) {
      AppendLittleEndian(shape, static_cast<uint64_t>(extent));
    }
    HashPart(hash, shape);
    HashPart(hash, tensor.bytes);
  }
  return hash.HexDigest();
}

}  // namespace facegate
