#pragma once

#include <cstdint>
#include <optional>

#include "face/base/status.h"
#include "face/onnx/external_data.h"
#include "face/weights/weights.h"

// How ONNX writes tensors: TensorProto of github.com/onnx/onnx, onnx/onnx.proto.
namespace facegate {

namespace onnx {
class TensorProto;
}

// The numbers of ONNX's element types, TensorProto.DataType.
int32_t OnnxTypeOf(DType dtype);
// Nothing where DType has no such type.
std::optional<DType> DTypeOfOnnx(int32_t type);

// Moves the numbers out of `proto`; errors do not name the tensor. kInvalidArgument for a type that
// DType does not have, for a size that does not agree with the shape, and for what ExternalData
// refuses.
StatusOr<Tensor> TensorFromProto(onnx::TensorProto& proto, ExternalData& external);

// Moves a tensor into `proto`, which keeps its name, with its numbers as raw_data.
void TensorToProto(Tensor tensor, onnx::TensorProto& proto);

}  // namespace facegate
