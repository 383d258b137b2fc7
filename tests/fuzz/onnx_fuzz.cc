// ParseOnnx() and TakeStateDict(): what is read can be written and reads back the same, and its
// tensors are within bounds. The folder of external data does not exist.
#include "face/base/check.h"
#include "face/onnx/onnx_file.h"
#include "face/onnx/onnx_state_dict.h"
#include "tests/fuzz/fuzz_input.h"

namespace facegate {
namespace {

void CheckRefused(const Status& status) {
  FACEGATE_CHECK(status.code() == StatusCode::kInvalidArgument ||
                 status.code() == StatusCode::kNotFound);
}

void CheckBounds(const TensorMap& tensors) {
  for (const auto& [name, tensor] : tensors) {
    FACEGATE_CHECK(tensor.element_count() >= 0);
    FACEGATE_CHECK(tensor.bytes.size() ==
                   static_cast<uint64_t>(tensor.element_count()) * SizeOf(tensor.dtype));
  }
}

void RunFile(std::string_view bytes) {
  StatusOr<OnnxModel> model = ParseOnnx(bytes, "/nonexistent");
  if (!model.ok()) return CheckRefused(model.status());
  CheckBounds(model->initializers);
  const StatusOr<std::string> written = SerializeOnnx(*model);
  FACEGATE_CHECK(written.ok());
  const StatusOr<OnnxModel> again = ParseOnnx(*written, "/nonexistent");
  FACEGATE_CHECK(again.ok());
  FACEGATE_CHECK(again->initializers == model->initializers);
  FACEGATE_CHECK(again->metadata == model->metadata && again->opsets == model->opsets);
  FACEGATE_CHECK(SerializeOnnx(*again) == written);
  const StatusOr<Safetensors> taken = TakeStateDict(*std::move(model));
  if (!taken.ok()) return CheckRefused(taken.status());
  CheckBounds(taken->tensors);
}

}  // namespace
}  // namespace facegate

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  facegate::RunFile(facegate::AsText(data, size));
  return 0;
}
