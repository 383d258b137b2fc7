#include "face/onnx/graph_constant.h"

#include <fmt/format.h>

#include <cstring>

#include "face/onnx/half_tensor.h"

namespace facegate {
namespace {

template <typename T>
std::vector<T> ElementsOf(const Tensor& tensor) {
  std::vector<T> elements(tensor.bytes.size() / sizeof(T));
  if (!elements.empty()) {
    std::memcpy(elements.data(), tensor.bytes.data(), elements.size() * sizeof(T));
  }
  return elements;
}

template <typename From>
GraphConstant Reals(const Tensor& tensor) {
  const std::vector<From> elements = ElementsOf<From>(tensor);
  GraphConstant constant{.shape = tensor.shape};
  constant.reals.reserve(elements.size());
  for (const From one : elements) constant.reals.push_back(static_cast<float>(one));
  return constant;
}

template <typename From>
GraphConstant Wholes(const Tensor& tensor) {
  const std::vector<From> elements = ElementsOf<From>(tensor);
  return {.shape = tensor.shape, .whole = true, .wholes = {elements.begin(), elements.end()}};
}

}  // namespace

StatusOr<GraphConstant> ConstantOf(const Tensor& tensor) {
  if (tensor.shape.size() > kMaxConstantRank) {
    return InvalidArgument(fmt::format("a constant has {} extents, limit is {}",
                                       tensor.shape.size(), kMaxConstantRank));
  }
  switch (tensor.dtype) {
    case DType::kF32:
      return Reals<float>(tensor);
    case DType::kF64:
      return Reals<double>(tensor);
    case DType::kF16:
      return Reals<float>(WidenHalf(tensor));
    case DType::kI64:
      return Wholes<int64_t>(tensor);
    case DType::kI32:
      return Wholes<int32_t>(tensor);
    default:
      return InvalidArgument(
          fmt::format("a constant is of type {}, which is not read", DTypeName(tensor.dtype)));
  }
}

}  // namespace facegate
