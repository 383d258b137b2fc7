// Seeds for onnx_graph_fuzz.cc, description_fuzz.cc and keras_fuzz.cc: small networks.
#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "face/base/check.h"
#include "face/network/architecture.h"
#include "face/network/description_json.h"
#include "face/network/random_weights.h"
#include "face/onnx/graph_parts.h"
#include "face/onnx/network_graph.h"
#include "face/onnx/onnx_file.h"
#include "tests/face/onnx/graph_models.h"
#include "tests/fuzz/seeds.h"
#include "tests/support/h5_bytes.h"
#include "tests/support/small_graph.h"
#include "tests/support/small_transformer.h"
#include "tests/support/tensorflow_bytes.h"

namespace facegate {
namespace {

using network::Chain;
using network::Description;

Description Tiny() {
  const network::Window window{
      .kernel = {2, 1}, .stride = {1, 2}, .dilation = {}, .padding = {0, 0, 1, 1}};
  const Chain gated{{{"conv", network::Convolution{{.in = 2, .out = 2, .groups = 2}}},
                     {"gate", network::ChannelGate{.channels = 2, .reduction = 2}}}};
  return {.name = "tiny",
          .input = {.channels = 3, .height = 3, .width = 4},
          .outputs = 2,
          .layers = {{"stem", network::Convolution{{.in = 3, .out = 2}}},
                     {"norm", network::BatchNorm{.channels = 2}},
                     {"prelu", network::PRelu{2}},
                     {"unit", network::Residual{.layers = {{"body", gated}}, .shortcut = {}}},
                     {"clip", network::Clip{.low = 0.0, .high = 6.0}},
                     {"pool", network::MaxPool{window}},
                     {"mean", network::AveragePool{.window = window}},
                     {"pad", network::Pad{{.top = 0, .left = 1, .bottom = 1, .right = 0}}},
                     {"all", network::GlobalAverage{}},
                     {"list", network::Flatten{}},
                     {"fc", network::Linear{.in = 2, .out = 2, .bias = true}}},
          .more = {}};
}

std::string GraphOf(const Description& description, const NetworkGraphOptions& options) {
  StatusOr<OnnxModel> model = MakeNetworkGraph(description, RandomWeights(description, 1), options);
  FACEGATE_CHECK(model.ok());
  return SerializeOnnx(*std::move(model)).value();
}

std::string BytesOf(OnnxModel model) { return SerializeOnnx(std::move(model)).value(); }

// The list of a picture by a shape that is computed of constants.
std::string Folded(const std::string& op, const std::vector<int64_t>& one,
                   const std::vector<int64_t>& other) {
  return BytesOf(ModelOf({{.op = op, .inputs = {"a", "b"}, .outputs = {"shape"}},
                          {.op = "Reshape", .inputs = {"x", "shape"}, .outputs = {"y"}}},
                         {{"a", Numbers(one)}, {"b", Numbers(other)}}));
}

// A gate of lists, whose extents of 1 come and go.
std::string Gated() {
  return BytesOf(
      ModelOf({{.op = "GlobalAveragePool", .inputs = {"x"}, .outputs = {"mean"}},
               {.op = "Squeeze", .inputs = {"mean", "last"}, .outputs = {"one"}},
               {.op = "Squeeze", .inputs = {"one"}, .outputs = {"list"}},
               {.op = "Squeeze", .inputs = {"deep"}, .outputs = {"places"}},
               {.op = "Unsqueeze", .inputs = {"list", "places"}, .outputs = {"spread"}},
               {.op = "Mul", .inputs = {"x", "spread"}, .outputs = {"gated"}},
               {.op = "Flatten", .inputs = {"gated"}, .outputs = {"y"}}},
              {{"last", Numbers({-1})},
               {"deep", {.dtype = DType::kI64, .shape = {1, 2}, .bytes = Numbers({2, 3}).bytes}}}));
}

// As Keras exports them: channels come last, sizes are padded to be the same, and the output is
// divided by its length.
std::string ChannelsLast() {
  using List = std::vector<int64_t>;
  OnnxModel model = ModelOf(
      {{.op = "Shape", .inputs = {"x"}, .outputs = {"shape"}, .attributes = {{"end", int64_t{1}}}},
       {.op = "Concat", .inputs = {"shape", "rest"}, .outputs = {"wanted"}},
       {.op = "Sub", .inputs = {"x", "mean"}, .outputs = {"centred"}},
       {.op = "Transpose",
        .inputs = {"centred"},
        .outputs = {"first"},
        .attributes = {{"perm", List{0, 3, 1, 2}}}},
       {.op = "Conv",
        .inputs = {"first", "kernel"},
        .outputs = {"map"},
        .attributes = {{"auto_pad", std::string("SAME_UPPER")},
                       {"strides", List{2, 2}},
                       {"dilations", List{1, 2}}}},
       {.op = "Transpose",
        .inputs = {"map"},
        .outputs = {"last"},
        .attributes = {{"perm", List{0, 2, 3, 1}}}},
       {.op = "PRelu", .inputs = {"last", "slopes"}, .outputs = {"active"}},
       {.op = "Reshape", .inputs = {"active", "wanted"}, .outputs = {"list"}},
       {.op = "ReduceL2",
        .inputs = {"list"},
        .outputs = {"length"},
        .attributes = {{"axes", List{-1}}}},
       {.op = "Div", .inputs = {"list", "length"}, .outputs = {"y"}}},
      {{"rest", Numbers({-1})},
       {"mean", FloatTensor({}, std::vector<float>{127.5F})},
       {"kernel", FloatTensor({2, 3, 1, 2}, std::vector<float>(12, 0.5F))},
       {"slopes", FloatTensor({1, 1, 2}, std::vector<float>{0.1F, 0.2F})}});
  model.inputs.front().shape = {"N", int64_t{4}, "W", int64_t{3}};
  return BytesOf(std::move(model));
}

}  // namespace

std::vector<Seed> OnnxGraphSeeds() {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  const OnnxNode wide{.op = "MaxPool",
                      .inputs = {"x"},
                      .outputs = {"y"},
                      .attributes = {{"kernel_shape", std::vector<int64_t>{1 << 30, 1}},
                                     {"dilations", std::vector<int64_t>{1 << 30, 1 << 30}}}};
  return {
      {"tiny", GraphOf(Tiny(), {})},
      {"pixels", GraphOf(Tiny(), {.preprocessing = {.colour_order = ColourOrder::kBgr},
                                  .pixels = OnnxPixels::kUint8,
                                  .normalise = true})},
      {"channels_last", ChannelsLast()},
      {"divided", Folded("Div", {kLeast}, {-1})},
      {"empty", Folded("Div", {}, {1})},
      {"gathered", Folded("Gather", {1, -1}, {0, 1, -1})},
      {"sliced",
       BytesOf(ModelOf({{.op = "Slice", .inputs = {"list", "a", "b"}, .outputs = {"shape"}},
                        {.op = "Reshape", .inputs = {"x", "shape"}, .outputs = {"y"}}},
                       {{"list", Numbers({3, 1, -1})}, {"a", Numbers({1})}, {"b", Numbers({3})}}))},
      {"turned", BytesOf(PaddingOfPyTorch())},
      {"gated", Gated()},
      {"filled", Folded("ConstantOfShape", std::vector<int64_t>(9, 1), {})},
      {"concatenated", Folded("Concat", {1, -1}, {})},
      {"unsqueezed", Folded("Unsqueeze", {-1}, {0, kLeast})},
      {"wide_pool", BytesOf(ModelOf({wide}, {}))}};
}

std::vector<Seed> DescriptionSeeds() {
  const std::string graph = DescriptionToJson(SmallGraph());
  const std::string tiny = DescriptionToJson(Tiny());
  // A graph that calls a graph, which calls a graph.
  network::LayerKind kind = network::Relu{};
  for (int level = 0; level < 3; ++level) {
    network::Graph outer{.layers = {{"inner", kind}}, .calls = {}};
    for (size_t i = 0; i < 3; ++i) outer.calls.push_back({size_t{0}, {i}});
    kind = outer;
  }
  const Description nested{.name = "nested",
                           .input = {1, 1, 1},
                           .outputs = 1,
                           .layers = {{"outer", kind}},
                           .more = {{"margin.weight", {2, 3}}}};
  return {{"graph", graph},
          {"tiny", tiny},
          {"nested", DescriptionToJson(nested)},
          {"transformer", DescriptionToJson(SmallTransformer(0.25, 0.5))},
          {"truncated", tiny.substr(0, tiny.size() / 2)},
          {"empty", "{}"},
          {"deep", std::string(100, '[')}};
}

// As keras_fuzz.cc takes a checkpoint of TensorFlow.
std::string CheckpointSeed(bool with_names) {
  TensorFlowWriter writer;
  writer.Add("a/kernel/.ATTRIBUTES/VARIABLE_VALUE", "conv1/kernel", {1, 1, 2, 2}, {0, 1, 2, 3});
  writer.Add("a/none/.ATTRIBUTES/VARIABLE_VALUE", "dense/kernel", {0, 2}, {});
  const std::string entries = writer.Entries(with_names);
  std::string seed = "TF";
  AppendLittleEndian(seed, static_cast<uint16_t>(entries.size()));
  return seed + entries + writer.numbers();
}

std::vector<Seed> KerasSeeds() {
  const std::string file = H5Bytes({{"conv1/kernel:0", {1, 1, 2, 2}}, {"conv1/bias:0", {2}}});
  return {{"file", file},
          {"truncated", file.substr(0, file.size() / 2)},
          {"list",
           "m/bn_Conv1/gamma:0 2\nm/Conv1/kernel:0 1 2 3 2\nm/d/depthwise_kernel:0 1 2 3 1\n"
           "OutputLayer/batch_normalization_4/gamma:0 2\nOutputLayer/dense_7/kernel:0 6 2\n"
           "ArcHead/dense_8/kernel:0 1 9\n"},
          {"twice", "a/c/bias:0 2\nb/c/bias:0 2\n"},
          {"wrong_shape", "c/kernel:0 2 2 2\n"},
          {"checkpoint", CheckpointSeed(true)},
          {"plain_checkpoint", CheckpointSeed(false)},
          {"empty_shape", "dense/kernel:0 0 3\nbatch_normalization/gamma:0 0\n"}};
}

}  // namespace facegate
