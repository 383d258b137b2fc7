#pragma once

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "face/onnx/graph_reader.h"
#include "face/onnx/onnx_model.h"

// Little graphs, as tests write them down.
namespace facegate {

inline std::string Bytes(const std::vector<float>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float)};
}

inline Tensor Floats(std::vector<int64_t> shape, const std::vector<float>& numbers) {
  return {.dtype = DType::kF32, .shape = std::move(shape), .bytes = Bytes(numbers)};
}

inline Tensor Numbers(const std::vector<int64_t>& numbers) {
  return {.dtype = DType::kI64,
          .shape = {static_cast<int64_t>(numbers.size())},
          .bytes = {reinterpret_cast<const char*>(numbers.data()), numbers.size() * 8}};
}

// A graph of an input 1·4·4 with these nodes.
inline OnnxModel ModelOf(std::vector<OnnxNode> nodes, TensorMap initializers) {
  OnnxModel model{.opsets = {{"", 13}}};
  model.outputs = {{.name = nodes.back().outputs.front()}};
  model.nodes = std::move(nodes);
  model.initializers = std::move(initializers);
  model.inputs = {{.name = "x",
                   .dtype = DType::kF32,
                   .shape = std::vector<OnnxExtent>{"N", int64_t{1}, int64_t{4}, int64_t{4}}}};
  return model;
}

// A padding of left 1, right 2, top 3 and bottom 4 as PyTorch's exporter computes it: the sides are
// filled up with zeros, and the list of pairs is turned round.
inline OnnxModel PaddingOfPyTorch() {
  return ModelOf(
      {{.op = "ConstantOfShape",
        .inputs = {"four"},
        .outputs = {"zeros"},
        .attributes = {{"value", Numbers({0})}}},
       {.op = "Concat",
        .inputs = {"sides", "zeros"},
        .outputs = {"all"},
        .attributes = {{"axis", int64_t{0}}}},
       {.op = "Reshape", .inputs = {"all", "pairs"}, .outputs = {"rows"}},
       {.op = "Neg", .inputs = {"one"}, .outputs = {"back"}},
       {.op = "Slice", .inputs = {"rows", "back", "least", "zero", "back"}, .outputs = {"turned"}},
       {.op = "Transpose",
        .inputs = {"turned"},
        .outputs = {"columns"},
        .attributes = {{"perm", std::vector<int64_t>{1, 0}}}},
       {.op = "Reshape", .inputs = {"columns", "back"}, .outputs = {"pads"}},
       {.op = "Pad", .inputs = {"x", "pads"}, .outputs = {"padded"}},
       {.op = "Flatten", .inputs = {"padded"}, .outputs = {"y"}}},
      {{"four", Numbers({4})},
       {"sides", Numbers({1, 2, 3, 4})},
       {"pairs", Numbers({-1, 2})},
       {"one", Numbers({1})},
       {"zero", Numbers({0})},
       {"least", Numbers({std::numeric_limits<int64_t>::min()})}});
}

inline const std::vector<network::Layer>& LayersOf(const GraphNetwork& read) {
  return std::get<network::Graph>(read.description.layers.front().kind).layers;
}

// What is said of a graph that ends in a Flatten of "v", which these nodes make of "x". It is
// kInvalidArgument, or the words say that it is not.
inline std::string RefusalOf(std::vector<OnnxNode> nodes, const TensorMap& constants = {}) {
  nodes.push_back({.op = "Flatten", .inputs = {"v"}, .outputs = {"y"}});
  const auto read = DescribeGraph(ModelOf(std::move(nodes), constants));
  if (read.status().code() != StatusCode::kInvalidArgument) return "not kInvalidArgument";
  return std::string(MessageOf(read.status()));
}

}  // namespace facegate
