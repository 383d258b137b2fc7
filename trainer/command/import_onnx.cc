#include "trainer/command/import_onnx.h"

#include <fmt/format.h>
#include <fmt/ranges.h>

#include <algorithm>
#include <filesystem>
#include <set>
#include <utility>

#include "face/onnx/onnx_file.h"
#include "face/onnx/onnx_state_dict.h"

namespace facegate {
namespace {

std::string OperatorsOf(const OnnxModel& model) {
  std::set<std::string> names;
  for (const OnnxNode& node : model.nodes) {
    names.insert(node.domain.empty() ? node.op : node.domain + "." + node.op);
  }
  return fmt::format("{}", fmt::join(names, ", "));
}

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
  OnnxWeights weights{.file = {}, .operators = OperatorsOf(model), .first = FirstOf(model)};
  FACEGATE_ASSIGN_OR_RETURN(weights.file, TakeStateDict(std::move(model)));
  return weights;
}

StatusOr<FoundBackbone> TakeOnnxBackbone(OnnxWeights weights, const BackboneWish& wish) {
  if (weights.file.tensors.empty()) {
    return InvalidArgument("the ONNX model has no initializers: it holds no weights");
  }
  StatusOr<FoundBackbone> found = TakeBackbone(weights.file.tensors, wish);
  if (!found.ok()) {
    return InvalidArgument(fmt::format(
        "an ONNX model is taken where its initializers have the names of a known architecture's "
        "state dict, and this one's do not ({}); its graph, of {}, is not taken: import the .pth "
        "that it was made of",
        MessageOf(found.status()), weights.operators));
  }
  if (weights.first != "Conv") {
    return InvalidArgument(fmt::format(
        "the graph begins with {}, so it prepares its input itself, and without a card it is not "
        "known how: export it without that, or import the .pth that it was made of",
        weights.first));
  }
  return found;
}

}  // namespace facegate
