#include "trainer/command/import_onnx.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "face/onnx/graph_reader.h"
#include "face/onnx/onnx_file.h"
#include "face/onnx/onnx_state_dict.h"

namespace facegate {
namespace {

// The operator that takes the first input.
std::string FirstOf(const OnnxModel& model) {
  if (model.inputs.empty()) return "";
  const std::string& input = model.inputs.front().name;
  const auto first =
      std::find_if(model.nodes.begin(), model.nodes.end(), [&input](const OnnxNode& node) {
        return std::find(node.inputs.begin(), node.inputs.end(), input) != node.inputs.end();
      });
  return first == model.nodes.end() ? "" : first->op;
}

}  // namespace

StatusOr<OnnxWeights> ReadOnnxWeights(std::string_view bytes, const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(OnnxModel model,
                            ParseOnnx(bytes, std::filesystem::path(path).parent_path().string()));
  OnnxWeights weights{.file = {}, .first = FirstOf(model)};
  FACEGATE_ASSIGN_OR_RETURN(weights.file, TakeStateDict(std::move(model)));
  return weights;
}

StatusOr<OnnxBackbone> TakeOnnxBackbone(OnnxWeights weights, std::string_view bytes,
                                        const std::string& path, const BackboneWish& wish) {
  if (weights.file.tensors.empty()) {
    return InvalidArgument("the ONNX model has no initializers: it holds no weights");
  }
  StatusOr<FoundBackbone> named = TakeBackbone(weights.file.tensors, wish);
  if (named.ok() && weights.first == "Conv") return OnnxBackbone{.found = *std::move(named)};
  if (!named.ok() && (wish.architecture.has_value() || wish.entry.has_value())) {
    return named.status();
  }
  FACEGATE_ASSIGN_OR_RETURN(OnnxModel model,
                            ParseOnnx(bytes, std::filesystem::path(path).parent_path().string()));
  StatusOr<GraphNetwork> read = DescribeGraph(std::move(model));
  if (!read.ok()) {
    return InvalidArgument(
        fmt::format("the graph is of no network that is known here: {}", MessageOf(read.status())));
  }
  OnnxBackbone backbone{.found = {}, .prepares_input = read->prepares_input};
  backbone.found.tensors = std::move(read->tensors);
  backbone.found.network = std::move(read->description);
  backbone.found.remarks = {"its layers are those of the graph"};
  if (read->prepares_input) {
    backbone.found.remarks.emplace_back("the graph prepares its input itself, of pixels 0 to 255");
  }
  return backbone;
}

}  // namespace facegate
