#pragma once

#include <ATen/core/ivalue.h>
#include <torch/csrc/jit/ir/ir.h>

#include <string_view>
#include <unordered_map>
#include <vector>

#include "face/base/status.h"
#include "trainer/torchscript/script_trace.h"

namespace facegate::torch_script {

// Walks over a graph of TorchScript, whose calls are inlined, with a picture: runs one operator
// after the other, takes the ways that conditions and loops say, and writes down in `trace` what is
// done to the picture. It runs operators of the lists here alone. kInvalidArgument for another one,
// by its name; LibTorch's exceptions pass through.
class ScriptWalk {
 public:
  // What is computed of constants may have `most_bytes` together.
  ScriptWalk(ScriptTrace& trace, size_t most_bytes)
      : trace_(trace), numbers_left_(most_bytes / sizeof(float)) {}

  // What the graph returns of these inputs.
  StatusOr<c10::IValue> Run(const torch::jit::Graph& graph, const std::vector<c10::IValue>& inputs);

 private:
  using Node = torch::jit::Node;

  Status Follow(const torch::jit::Block& block);
  Status Step(const Node& node);
  const c10::IValue& Known(const torch::jit::Value* value) const { return known_.at(value); }
  std::vector<c10::IValue> Inputs(const Node& node) const;
  Status Give(const Node& node, std::vector<c10::IValue> outputs);

  Status Constant(const Node& node);
  Status Attribute(const Node& node);
  Status Condition(const Node& node);
  Status Loop(const Node& node);
  Status MakeList(const Node& node);
  Status MakeTuple(const Node& node);
  Status Unpack(const Node& node);
  Status Pass(const Node& node);
  Status Skip(const Node& node);
  Status Raise(const Node& node);
  Status Apply(const Node& node);
  // Counts the numbers that an operator is about to compute of constants.
  Status SpendOn(std::string_view op, const std::vector<c10::IValue>& inputs);
  // Notes what an operator is about to change.
  Status NoteChanges(const Node& node, const std::vector<c10::IValue>& inputs);

  ScriptTrace& trace_;
  std::unordered_map<const torch::jit::Value*, c10::IValue> known_;
  size_t steps_ = 0;
  size_t numbers_left_;  // that may be computed of constants
};

}  // namespace facegate::torch_script
