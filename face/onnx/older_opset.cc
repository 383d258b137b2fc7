#include "face/onnx/older_opset.h"

#include <algorithm>
#include <array>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>

#include "face/onnx/graph_constant.h"

namespace facegate {
namespace {

constexpr int64_t kOlderOpset = 10;

// Operators that are the same in both, and those that OlderForm() writes.
bool HasOlderForm(const OnnxNode& node) {
  static const std::set<std::string_view> ops = {
      "Add",       "AveragePool", "BatchNormalization",
      "Cast",      "Clip",        "Concat",
      "Conv",      "Div",         "Flatten",
      "Gemm",      "Identity",    "MaxPool",
      "Mul",       "Pad",         "PRelu",
      "Relu",      "Sigmoid",     "Sub",
      "Unsqueeze", "ReduceL2",    "GlobalAveragePool",
  };
  // Without a bias there is no Gemm of that time.
  return ops.contains(node.op) && (node.op != "Gemm" || node.inputs.size() == 3);
}

// The attributes that the inputs after the first become.
std::span<const char* const> AttributesOf(std::string_view op) {
  static constexpr std::array<const char*, 2> kLimits = {"min", "max"};
  static constexpr std::array<const char*, 1> kPads = {"pads"};
  static constexpr std::array<const char*, 1> kAxes = {"axes"};
  if (op == "Clip") return kLimits;
  if (op == "Pad") return kPads;
  if (op == "Unsqueeze") return kAxes;
  return {};
}

// The constants of a node as attributes. False where one of them is none.
bool TakeConstants(const OnnxModel& model, OnnxNode& node) {
  const std::span<const char* const> names = AttributesOf(node.op);
  if (names.empty()) return true;
  if (node.inputs.size() != names.size() + 1) return false;
  for (size_t i = 0; i < names.size(); ++i) {
    const auto tensor = model.initializers.find(node.inputs[i + 1]);
    if (tensor == model.initializers.end()) return false;
    const StatusOr<GraphConstant> constant = ConstantOf(tensor->second);
    if (!constant.ok() || constant->size() == 0) return false;
    if (constant->whole) {
      node.attributes[names[i]] = constant->wholes;
    } else {
      node.attributes[names[i]] = constant->reals.front();
    }
  }
  node.inputs.resize(1);
  return true;
}

}  // namespace

void WriteClipsForOpenCv(OnnxModel& model) {
  const auto clips = [](const OnnxNode& node) { return node.op == "Clip"; };
  std::vector<OnnxNode> nodes = model.nodes;
  if (std::none_of(nodes.begin(), nodes.end(), clips) ||
      !std::all_of(nodes.begin(), nodes.end(), HasOlderForm) ||
      !std::all_of(nodes.begin(), nodes.end(),
                   [&](OnnxNode& node) { return TakeConstants(model, node); })) {
    return;
  }
  std::set<std::string> needed;
  for (const OnnxNode& node : nodes) needed.insert(node.inputs.begin(), node.inputs.end());
  for (const OnnxNode& node : model.nodes) {
    for (const std::string& input : node.inputs) {
      if (!needed.contains(input)) model.initializers.erase(input);
    }
  }
  model.nodes = std::move(nodes);
  model.opsets[""] = kOlderOpset;
}

}  // namespace facegate
