#include "face/onnx/tensor_proto.h"

#include <fmt/format.h>

#include <array>
#include <charconv>
#include <cstring>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/coding.h"
#include "face/weights/quote.h"
#include "onnx/model.pb.h"

namespace facegate {
namespace {

constexpr int32_t kExternal = 1;  // of data_location

struct OnnxType {
  int32_t number;
  std::string_view name;
  std::optional<DType> dtype;
};

constexpr std::array<OnnxType, 16> kTypes = {{
    {1, "float", DType::kF32},
    {2, "uint8", DType::kU8},
    {3, "int8", DType::kI8},
    {4, "uint16", std::nullopt},
    {5, "int16", DType::kI16},
    {6, "int32", DType::kI32},
    {7, "int64", DType::kI64},
    {8, "string", std::nullopt},
    {9, "bool", DType::kBool},
    {10, "float16", DType::kF16},
    {11, "double", DType::kF64},
    {12, "uint32", std::nullopt},
    {13, "uint64", std::nullopt},
    {14, "complex64", std::nullopt},
    {15, "complex128", std::nullopt},
    {16, "bfloat16", DType::kBF16},
}};

std::string TypeName(int32_t number) {
  for (const OnnxType& type : kTypes) {
    if (type.number == number) return std::string(type.name);
  }
  return fmt::format("type {}", number);
}

// Appends the `size` lowest bytes of each number.
template <typename Numbers>
void AppendLow(const Numbers& numbers, size_t size, std::string& bytes) {
  for (const auto number : numbers) {
    std::string one;
    AppendLittleEndian(one, static_cast<uint64_t>(number));
    bytes.append(one, 0, size);
  }
}

template <typename Numbers>
void AppendWhole(const Numbers& numbers, std::string& bytes) {
  const size_t size = static_cast<size_t>(numbers.size()) * sizeof(*numbers.data());
  bytes.assign(reinterpret_cast<const char*>(numbers.data()), size);
}

// The numbers of the field that the type has; types of less than 32 bits stand in int32_data.
std::string TypedData(const onnx::TensorProto& proto, DType dtype) {
  std::string bytes;
  switch (dtype) {
    case DType::kF32:
      AppendWhole(proto.float_data(), bytes);
      break;
    case DType::kF64:
      AppendWhole(proto.double_data(), bytes);
      break;
    case DType::kI64:
      AppendWhole(proto.int64_data(), bytes);
      break;
    case DType::kBool:
    case DType::kU8:
    case DType::kI8:
    case DType::kI16:
    case DType::kI32:
    case DType::kF16:
    case DType::kBF16:
      AppendLow(proto.int32_data(), SizeOf(dtype), bytes);
      break;
  }
  return bytes;
}

StatusOr<uint64_t> NumberOf(const onnx::StringStringEntryProto& entry) {
  const std::string& text = entry.value();
  uint64_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) {
    return InvalidArgument(
        fmt::format("the {} of its data is {}, not a number", Quote(entry.key()), Quote(text)));
  }
  return number;
}

StatusOr<std::string_view> ExternalBytes(const onnx::TensorProto& proto, ExternalData& external) {
  std::string location;
  uint64_t offset = 0;
  std::optional<uint64_t> length;
  for (const onnx::StringStringEntryProto& entry : proto.external_data()) {
    if (entry.key() == "location") location = entry.value();
    if (entry.key() == "offset") {
      FACEGATE_ASSIGN_OR_RETURN(offset, NumberOf(entry));
    }
    if (entry.key() == "length") {
      FACEGATE_ASSIGN_OR_RETURN(length, NumberOf(entry));
    }
  }
  return external.Read(location, offset, length);
}

}  // namespace

int32_t OnnxTypeOf(DType dtype) {
  for (const OnnxType& type : kTypes) {
    if (type.dtype == dtype) return type.number;
  }
  return 0;
}

std::optional<DType> DTypeOfOnnx(int32_t number) {
  for (const OnnxType& type : kTypes) {
    if (type.number == number) return type.dtype;
  }
  return std::nullopt;
}

StatusOr<Tensor> TensorFromProto(onnx::TensorProto& proto, ExternalData& external) {
  const std::optional<DType> dtype = DTypeOfOnnx(proto.data_type());
  if (!dtype) {
    return InvalidArgument(fmt::format("is of {}, which is not read", TypeName(proto.data_type())));
  }
  Tensor tensor{.dtype = *dtype, .shape = {proto.dims().begin(), proto.dims().end()}, .bytes = {}};
  const int64_t count = tensor.element_count();
  if (count < 0 || tensor.shape.size() > kMaxDimensions) {
    return InvalidArgument(tensor.shape.size() > kMaxDimensions
                               ? fmt::format("has {} dimensions", tensor.shape.size())
                               : fmt::format("has the shape {}", ShapeText(tensor.shape)));
  }
  const auto expect = [&](uint64_t bytes) -> Status {
    const size_t size = SizeOf(*dtype);
    if (bytes % size == 0 && bytes / size == static_cast<uint64_t>(count)) return OkStatus();
    return InvalidArgument(fmt::format("of {} and shape {} has {} bytes of numbers",
                                       TypeName(proto.data_type()), ShapeText(tensor.shape),
                                       bytes));
  };
  if (proto.data_location() == kExternal) {
    FACEGATE_ASSIGN_OR_RETURN(const std::string_view bytes, ExternalBytes(proto, external));
    FACEGATE_RETURN_IF_ERROR(expect(bytes.size()));
    tensor.bytes = bytes;
    return tensor;
  }
  tensor.bytes =
      proto.raw_data().empty() ? TypedData(proto, *dtype) : std::move(*proto.mutable_raw_data());
  FACEGATE_RETURN_IF_ERROR(expect(tensor.bytes.size()));
  return tensor;
}

void TensorToProto(Tensor tensor, onnx::TensorProto& proto) {
  for (const int64_t extent : tensor.shape) proto.add_dims(extent);
  proto.set_data_type(OnnxTypeOf(tensor.dtype));
  proto.set_raw_data(std::move(tensor.bytes));
}

}  // namespace facegate
