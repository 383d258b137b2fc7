#pragma once

#include <optional>
#include <string_view>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/onnx/onnx_model.h"
#include "face/weights/weights.h"

namespace facegate {

// What a network that a graph describes is called.
inline constexpr std::string_view kGraphNetwork = "network of an ONNX graph";

// A network that a graph describes, with its weights: one network::Graph, whose layers are called
// by their operator and number ("conv0", "prelu1").
struct GraphNetwork {
  network::Description description;
  TensorMap tensors;
  // The graph begins with sums and products by constants: it takes pixels as they are, of 0 to this
  // number, which is 255 or 1. Nothing where it takes what was made of them.
  std::optional<double> largest_pixel{};
  bool open_sides = false;  // it does not fix the height or the width of its input
};

// Follows the graph of an ONNX model from its first input, which is N·C·H·W (or N·H·W·C where a
// Transpose comes first) with C of 1 or 3 and N not fixed or 1, to its first output, which is a
// list. A height or width that is not fixed is that of `open`, or 112 pixels.
//
// Takes the operators Conv, BatchNormalization, PRelu, LeakyRelu, Relu, Clip, Sigmoid, Add, Sub,
// Mul, Div, Gemm, MatMul, Flatten, Reshape, Squeeze, Unsqueeze behind the channels,
// GlobalAveragePool, ReduceMean of rows and columns, AveragePool, MaxPool, Concat of channels, Pad
// by zeros, Transpose to and from N·H·W·C, Identity, Dropout and Cast, what computes the shape of a
// Reshape, and a division of the output by its length, which is left out. kInvalidArgument, naming
// operator and node, for anything else; for more copies of weights than networks make; and for what
// a card could not hold (description_json.h).
StatusOr<GraphNetwork> DescribeGraph(OnnxModel model,
                                     std::optional<network::Sides> open = std::nullopt);

}  // namespace facegate
