#include "face/detect/onnx_shape.h"

#include <climits>

#include "onnx/model.pb.h"

namespace facegate {
namespace {

// The shape of the first input; null where there is none.
onnx::TensorShapeProto* InputShapeOf(onnx::ModelProto& model) {
  if (model.graph().input_size() == 0) return nullptr;
  onnx::ValueInfoProto& input = *model.mutable_graph()->mutable_input(0);
  if (!input.type().tensor_type().has_shape()) return nullptr;
  return input.mutable_type()->mutable_tensor_type()->mutable_shape();
}

}  // namespace

StatusOr<std::string> WithInputShape(std::string_view model, std::span<const uint32_t> dimensions) {
  onnx::ModelProto parsed;
  const bool is_model = model.size() <= INT_MAX &&
                        parsed.ParseFromArray(model.data(), static_cast<int>(model.size()));
  onnx::TensorShapeProto* const shape = is_model ? InputShapeOf(parsed) : nullptr;
  if (shape == nullptr) {
    return InvalidArgument("the file is not an ONNX model, or its input has no shape");
  }
  shape->Clear();
  for (const uint32_t dimension : dimensions) shape->add_dim()->set_dim_value(dimension);
  return parsed.SerializeAsString();
}

}  // namespace facegate
