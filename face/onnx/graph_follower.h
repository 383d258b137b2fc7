#pragma once

#include <functional>
#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/status.h"
#include "face/network/channel_scale.h"
#include "face/network/output_shape.h"
#include "face/onnx/constant_folding.h"
#include "face/onnx/constant_layout.h"
#include "face/onnx/graph_constant.h"
#include "face/onnx/graph_reader.h"
#include "face/onnx/node_attributes.h"
#include "face/onnx/onnx_model.h"

// The insides of DescribeGraph(): each operator has a handler here, which makes layers and calls of
// the node at hand. The handlers of windows, norms and activations are in graph_windows.cc, those
// of sums, products and shapes in graph_numbers.cc, the rest in graph_reader.cc.
namespace facegate::onnx_graph {

// A value that depends on the picture.
struct Value {
  size_t number = 0;         // as network::Call counts them
  network::Extents shape{};  // of one picture: C·H·W, or a length
  // In the graph its last extent is that of the channels; here it is C·H·W all the same.
  bool channels_last = false;
  // A list has so many extents of 1 behind it in the graph, where it meets maps with two of them.
  size_t ones = 0;
  // A list that was flattened in the order H, W, C: that map's extents, C·H·W.
  network::Extents flattened{};
  // It is the length of this value, for each picture.
  std::optional<size_t> length_of{};
};

// Tensors of a layer, by their names in it.
using LayerTensors = std::vector<std::pair<const char*, Tensor>>;

// Follows the nodes of one graph. An error says what is wrong with the node at hand, in words that
// follow its name.
class GraphReader {
 public:
  GraphReader(OnnxModel model, std::optional<network::Sides> open)
      : model_(std::move(model)), open_(open) {}

  StatusOr<GraphNetwork> Read();

 private:
  std::string Where() const;
  static Status Unread(std::string_view what);
  // Counts numbers that are about to be computed or copied: together they are a few times the
  // model's own.
  Status Spend(size_t numbers);
  // The names of values that the output depends on.
  std::set<std::string> NeededFor(const std::string& output) const;
  Status TakeInput();
  Status Follow();
  Status FollowData();
  Status Finish(const std::string& name);

  // The constant of that name; null where it is none.
  StatusOr<const GraphConstant*> Constant(const std::string& name);
  // The axes that the node names, as an attribute or as that input; nothing where it names none.
  StatusOr<std::optional<std::vector<int64_t>>> Axes(size_t input);
  // An input of the node that is a constant of fractions, whose absence is an error.
  StatusOr<const GraphConstant*> Weights(size_t input);
  bool Has(size_t input) const;
  // An input that depends on the picture.
  StatusOr<Value> Any(size_t input) const;
  // The same of one that is no length.
  StatusOr<Value> Data(size_t input) const;
  // The same of a map whose channels come first.
  StatusOr<Value> Map(size_t input) const;
  // The same of a list, N·C in the graph.
  StatusOr<Value> List(size_t input) const;
  // The shape of a value in the graph, of one picture.
  static std::vector<int64_t> OnnxShape(const Value& value);

  // Makes a layer of the node, with its tensors, and calls it with `input`.
  Status Give(network::LayerKind kind, const Value& input, const LayerTensors& tensors = {});
  // The same of a layer that leaves the order of the channels.
  Status GiveInOrder(network::LayerKind kind, const Value& input, const LayerTensors& tensors = {});
  Status GiveCall(network::Call call, network::Extents shape);
  Status GiveSame(const Value& value);
  // A value as a list with so many extents of 1 behind it.
  Status GiveList(const Value& value, size_t ones = 0);

  // graph_windows.cc
  StatusOr<network::Window> WindowOf(const network::Sides& kernel,
                                     const network::Extents& shape) const;
  Status Conv();
  Status Norm();
  Status GlobalMean();
  Status Mean();
  Status Pool();
  Status PadZeros();
  Status Slopes();
  Status Leaky();
  Status Rectify();
  Status Squash();
  Status Activate(network::LayerKind kind);
  Status Limit();

  // graph_numbers.cc
  Status Pass();
  Status Cast();
  Status TellShape();
  // The numbers of a constant, one for each channel of the value, or one for all.
  StatusOr<std::vector<float>> ByChannel(const GraphConstant& constant, const Value& value) const;
  // Add, Sub, Mul and Div, of two values or of one and a constant.
  Status Meet();
  Status MeetConstant();
  // The value times `scale` plus `shift`, for each channel; one of them may be empty.
  Status GiveAffine(const Value& input, std::vector<float> scale, std::vector<float> shift);
  Status JoinTwo();
  Status Concat();
  // A matrix of `in` rows and `out` columns that a list is multiplied by.
  Status GiveProduct(const Value& input, int64_t in, int64_t out,
                     const std::function<float(int64_t, int64_t)>& at, const Tensor* bias);
  Status Gemm();
  Status MatMul();
  Status Flatten();
  Status Squeeze();
  Status Unsqueeze();
  Status Reshape();
  Status Transpose();
  // The length of a list; what is done to it before it divides only keeps it from zero.
  Status Length();
  Status PassLength();
  Status Unit();

  static constexpr char kGraphName[] = "graph";

  OnnxModel model_;
  const std::optional<network::Sides> open_;
  size_t budget_ = 0;               // numbers that may still be computed and copied
  const OnnxNode* node_ = nullptr;  // at hand
  std::map<std::string, GraphConstant, std::less<>> constants_;
  std::map<std::string, Value, std::less<>> values_;
  network::Graph graph_;
  bool normalised_ = false;
  // What sums and products by constants make of the input, up to that value.
  network::ChannelScale preparation_;
  size_t prepared_ = 0;
  bool prepares_ = false;  // there are some
  GraphNetwork result_;
};

}  // namespace facegate::onnx_graph
