#include "face/torch/tensor_conversion.h"

#include <fmt/format.h>

#include <cstring>
#include <optional>
#include <string_view>
#include <utility>

#include "face/base/catch.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

std::optional<torch::ScalarType> ToScalarType(DType dtype) {
  switch (dtype) {
    case DType::kBool:
      return torch::kBool;
    case DType::kU8:
      return torch::kUInt8;
    case DType::kI8:
      return torch::kInt8;
    case DType::kI16:
      return torch::kInt16;
    case DType::kI32:
      return torch::kInt32;
    case DType::kI64:
      return torch::kInt64;
    case DType::kF16:
      return torch::kFloat16;
    case DType::kBF16:
      return torch::kBFloat16;
    case DType::kF32:
      return torch::kFloat32;
    case DType::kF64:
      return torch::kFloat64;
  }
  return std::nullopt;
}

std::optional<DType> FromScalarType(torch::ScalarType type) {
  for (const DType dtype : {DType::kBool, DType::kU8, DType::kI8, DType::kI16, DType::kI32,
                            DType::kI64, DType::kF16, DType::kBF16, DType::kF32, DType::kF64}) {
    if (ToScalarType(dtype) == type) return dtype;
  }
  return std::nullopt;
}

// Calls visit(name, tensor) for each parameter and buffer; stops at the first error.
template <typename Visit>
Status ForEachTensor(const torch::nn::Module& module, const Visit& visit) {
  for (const auto& item : module.named_parameters()) {
    FACEGATE_RETURN_IF_ERROR(visit(item.key(), item.value()));
  }
  for (const auto& item : module.named_buffers()) {
    FACEGATE_RETURN_IF_ERROR(visit(item.key(), item.value()));
  }
  return OkStatus();
}

// Says what is wrong with the values of one tensor of a network, if anything.
Status CheckValues(std::string_view name, const torch::Tensor& values) {
  if (!torch::isfinite(values).all().item<bool>()) {
    return InvalidArgument(fmt::format("tensor {} has a value that is not finite", Quote(name)));
  }
  if (name.ends_with("running_var") && (values < 0).any().item<bool>()) {
    return InvalidArgument(fmt::format("tensor {} has a negative variance", Quote(name)));
  }
  return OkStatus();
}

Status LoadTensor(const std::string& name, const Tensor& source, torch::Tensor target) {
  auto values = ToTorch(source);
  if (!values.ok()) return Annotate(values.status(), "tensor " + Quote(name));
  if (target.is_floating_point() && !values->is_floating_point()) {
    return InvalidArgument(fmt::format("tensor {} has the type {}, expected floating-point numbers",
                                       Quote(name), DTypeName(source.dtype)));
  }
  target.copy_(*values);
  return target.is_floating_point() ? CheckValues(name, target) : OkStatus();
}

}  // namespace

ShapeMap ShapesOf(const torch::nn::Module& module) {
  ShapeMap shapes;
  for (const auto& item : module.named_parameters())
    shapes[item.key()] = item.value().sizes().vec();
  for (const auto& item : module.named_buffers()) shapes[item.key()] = item.value().sizes().vec();
  return shapes;
}

StatusOr<torch::Tensor> ToTorch(const Tensor& tensor) {
  const auto type = ToScalarType(tensor.dtype);
  const auto bytes = static_cast<uint64_t>(tensor.element_count()) * SizeOf(tensor.dtype);
  if (!type.has_value() || tensor.element_count() < 0 || bytes != tensor.bytes.size()) {
    return InvalidArgument(fmt::format("{} bytes for a tensor of shape {} and type {}",
                                       tensor.bytes.size(), ShapeText(tensor.shape),
                                       DTypeName(tensor.dtype)));
  }
  return CatchToStatus("making a tensor", [&]() -> StatusOr<torch::Tensor> {
    torch::Tensor result = torch::empty(tensor.shape, torch::TensorOptions().dtype(*type));
    if (bytes > 0) std::memcpy(result.data_ptr(), tensor.bytes.data(), bytes);
    return result;
  });
}

StatusOr<Tensor> FromTorch(const torch::Tensor& tensor) {
  const auto dtype = FromScalarType(tensor.scalar_type());
  if (!dtype.has_value()) {
    return InvalidArgument(fmt::format("tensor of the type {}, which weight files do not have",
                                       torch::toString(tensor.scalar_type())));
  }
  return CatchToStatus("copying a tensor", [&]() -> StatusOr<Tensor> {
    const torch::Tensor plain = tensor.detach().cpu().contiguous();
    Tensor result{.dtype = *dtype, .shape = plain.sizes().vec(), .bytes = {}};
    result.bytes.assign(static_cast<const char*>(plain.data_ptr()), plain.nbytes());
    return result;
  });
}

Status LoadWeights(const TensorMap& tensors, torch::nn::Module& module) {
  return CatchToStatus("loading weights", [&]() -> Status {
    FACEGATE_RETURN_IF_ERROR(CheckShapes(ShapesOf(module), tensors));
    const torch::NoGradGuard no_grad;
    return ForEachTensor(module, [&](const std::string& name, const torch::Tensor& target) {
      const auto found = tensors.find(name);
      if (found != tensors.end()) return LoadTensor(name, found->second, target);
      target.detach().zero_();  // a batch counter
      return OkStatus();
    });
  });
}

StatusOr<TensorMap> StateDict(const torch::nn::Module& module) {
  TensorMap tensors;
  FACEGATE_RETURN_IF_ERROR(
      ForEachTensor(module, [&](const std::string& name, const torch::Tensor& value) -> Status {
        FACEGATE_ASSIGN_OR_RETURN(tensors[name], FromTorch(value));
        return OkStatus();
      }));
  return tensors;
}

}  // namespace facegate
