// DescribeGraph(): a network that a card can hold, with its tensors, which can be written as a
// graph again; or kInvalidArgument. The folder of external data does not exist.
#include "face/base/check.h"
#include "face/network/description_json.h"
#include "face/network/shape_map.h"
#include "face/onnx/graph_reader.h"
#include "face/onnx/network_graph.h"
#include "face/onnx/onnx_file.h"
#include "tests/fuzz/fuzz_input.h"

namespace facegate {
namespace {

void RunFile(std::string_view bytes) {
  StatusOr<OnnxModel> model = ParseOnnx(bytes, "/nonexistent");
  if (!model.ok()) return;  // see onnx_fuzz.cc
  StatusOr<GraphNetwork> read = DescribeGraph(*std::move(model));
  if (!read.ok()) {
    FACEGATE_CHECK(read.status().code() == StatusCode::kInvalidArgument);
    return;
  }
  const network::Description& description = read->description;
  FACEGATE_CHECK(DescriptionFromJson(DescriptionToJson(description)).ok());
  FACEGATE_CHECK(CompareShapes(ShapesOf(description), read->tensors).count == 0);
  FACEGATE_CHECK(MakeNetworkGraph(description, std::move(read->tensors), {}).ok());
}

}  // namespace
}  // namespace facegate

int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  facegate::RunFile(facegate::AsText(data, size));
  return 0;
}
