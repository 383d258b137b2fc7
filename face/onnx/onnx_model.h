#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include "face/weights/weights.h"

// An ONNX model as a plain value: what github.com/onnx/onnx, docs/IR.md calls a ModelProto, as far
// as networks of faces use it. Nothing here runs it.
namespace facegate {

using OnnxAttribute = std::variant<float, int64_t, std::string, Tensor, std::vector<float>,
                                   std::vector<int64_t>, std::vector<std::string>>;

// An operator is applied to values. Values are called by name: each is an input of the graph, an
// initializer, or the output of one node.
struct OnnxNode {
  std::string op;        // such as "Conv"
  std::string domain{};  // of the operator; empty for ONNX's own
  std::string name{};
  std::vector<std::string> inputs;  // an empty name stands for an optional input that is left out
  std::vector<std::string> outputs;
  std::map<std::string, OnnxAttribute, std::less<>> attributes{};
};

// The extent of a dimension: a number, or the name of one that is not fixed (which may be empty).
using OnnxExtent = std::variant<int64_t, std::string>;

// An input or output of a graph.
struct OnnxValue {
  std::string name;
  std::optional<DType> dtype{};                    // nothing where it is not stated, or no DType
  std::optional<std::vector<OnnxExtent>> shape{};  // nothing where it is not stated
};

struct OnnxModel {
  int64_t ir_version = 8;
  std::map<std::string, int64_t> opsets;  // versions by domain; that of ONNX's own is ""
  std::string producer{};
  std::string name{};               // of the graph
  std::vector<OnnxNode> nodes{};    // each after those whose outputs it takes
  TensorMap initializers{};         // constants by the names of their values
  std::vector<OnnxValue> inputs{};  // without those that are initializers
  std::vector<OnnxValue> outputs{};
  std::map<std::string, std::string> metadata{};  // metadata_props
};

}  // namespace facegate
