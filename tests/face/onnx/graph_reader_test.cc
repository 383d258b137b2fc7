#include "face/onnx/graph_reader.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "face/network/architecture.h"
#include "face/network/description_json.h"
#include "face/network/random_weights.h"
#include "face/network/shape_map.h"
#include "face/onnx/network_graph.h"
#include "tests/support/small_graph.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

std::string Bytes(const std::vector<float>& numbers) {
  return {reinterpret_cast<const char*>(numbers.data()), numbers.size() * sizeof(float)};
}

Tensor Floats(std::vector<int64_t> shape, const std::vector<float>& numbers) {
  return {.dtype = DType::kF32, .shape = std::move(shape), .bytes = Bytes(numbers)};
}

Tensor Numbers(const std::vector<int64_t>& numbers) {
  return {.dtype = DType::kI64,
          .shape = {static_cast<int64_t>(numbers.size())},
          .bytes = {reinterpret_cast<const char*>(numbers.data()), numbers.size() * 8}};
}

// A graph of an input 1·4·4 with these nodes.
OnnxModel ModelOf(std::vector<OnnxNode> nodes, TensorMap initializers) {
  OnnxModel model{.opsets = {{"", 13}}};
  model.outputs = {{.name = nodes.back().outputs.front()}};
  model.nodes = std::move(nodes);
  model.initializers = std::move(initializers);
  model.inputs = {{.name = "x",
                   .dtype = DType::kF32,
                   .shape = std::vector<OnnxExtent>{"N", int64_t{1}, int64_t{4}, int64_t{4}}}};
  return model;
}

const std::vector<network::Layer>& LayersOf(const GraphNetwork& read) {
  return std::get<network::Graph>(read.description.layers.front().kind).layers;
}

TEST(GraphReaderTest, ReadsWhatIsWrittenOfEachArchitecture) {
  // The third has gates of lists, the last a batch norm without numbers of its own.
  for (const char* name : {"mobilefacenet-128", "irse-50", "resnet-face-18-se", "keras-mobilenetv2",
                           "adaface-ir-50"}) {
    const network::Description description = DescribeArchitecture(name).value();
    FACEGATE_ASSERT_OK_AND_ASSIGN(
        OnnxModel model,
        MakeNetworkGraph(description, RandomWeights(description, 1), {.normalise = true}));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork read, DescribeGraph(std::move(model)));
    EXPECT_EQ(read.description.outputs, description.outputs);
    EXPECT_EQ(read.description.input, description.input);
    EXPECT_FALSE(read.prepares_input);
    EXPECT_EQ(CompareShapes(ShapesOf(read.description), read.tensors).count, 0U) << name;
    EXPECT_THAT(DescriptionFromJson(DescriptionToJson(read.description)), IsOk());
  }
}

TEST(GraphReaderTest, TellsThatAGraphPreparesItsInput) {
  const network::Description description = DescribeArchitecture("mobilefacenet-128").value();
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      OnnxModel model,
      MakeNetworkGraph(description, RandomWeights(description, 1), {.pixels = OnnxPixels::kFloat}));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork read, DescribeGraph(std::move(model)));
  EXPECT_TRUE(read.prepares_input);
}

TEST(GraphReaderTest, ReadsEveryKindOfLayerThatIsWritten) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(OnnxModel model,
                                MakeNetworkGraph(SmallGraph(), RandomWeights(SmallGraph(), 1), {}));
  // The reader takes pictures alone.
  const network::Description description = SmallGraph();
  EXPECT_THAT(MessageOf(DescribeGraph(model).status()), HasSubstr("2 channels, expected 1 or 3"));
}

TEST(GraphReaderTest, FollowsTheShapeThatPyTorchComputes) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const GraphNetwork read,
      DescribeGraph(ModelOf({{.op = "Shape", .inputs = {"x"}, .outputs = {"shape"}},
                             {.op = "Gather",
                              .inputs = {"shape", "zero"},
                              .outputs = {"batch"},
                              .attributes = {{"axis", int64_t{0}}}},
                             {.op = "Concat",
                              .inputs = {"batch", "rest"},
                              .outputs = {"wanted"},
                              .attributes = {{"axis", int64_t{0}}}},
                             {.op = "Reshape", .inputs = {"x", "wanted"}, .outputs = {"y"}}},
                            {{"zero", Numbers({0})}, {"rest", Numbers({-1})}})));
  EXPECT_EQ(read.description.outputs, 16);
}

TEST(GraphReaderTest, ProductsOfChannelsLastAreBroughtIntoOrder) {
  std::vector<float> weight(32);
  for (size_t i = 0; i < weight.size(); ++i) weight[i] = static_cast<float>(i);
  OnnxModel model =
      ModelOf({{.op = "Conv", .inputs = {"x", "kernel"}, .outputs = {"two"}},
               {.op = "Transpose",
                .inputs = {"two"},
                .outputs = {"last"},
                .attributes = {{"perm", std::vector<int64_t>{0, 2, 3, 1}}}},
               {.op = "Flatten", .inputs = {"last"}, .outputs = {"list"}},
               {.op = "MatMul", .inputs = {"list", "weight"}, .outputs = {"y"}}},
              {{"kernel", Floats({2, 1, 1, 1}, {1, 2})}, {"weight", Floats({32, 1}, weight)}});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork read, DescribeGraph(std::move(model)));
  // The row of channel 1 in place 0 is the second of H·W·C, and the 17th of C·H·W.
  std::vector<float> expected(32);
  for (size_t place = 0; place < 16; ++place) {
    for (size_t channel = 0; channel < 2; ++channel) {
      expected[channel * 16 + place] = static_cast<float>(place * 2 + channel);
    }
  }
  EXPECT_EQ(read.tensors.at("graph.matmul2.weight").bytes, Bytes(expected));
}

TEST(GraphReaderTest, UnevenPaddingComesOfSame) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const GraphNetwork read,
      DescribeGraph(ModelOf({{.op = "Conv",
                              .inputs = {"x", "kernel"},
                              .outputs = {"map"},
                              .attributes = {{"auto_pad", std::string("SAME_UPPER")},
                                             {"strides", std::vector<int64_t>{2, 2}}}},
                             {.op = "Flatten", .inputs = {"map"}, .outputs = {"y"}}},
                            {{"kernel", Floats({1, 1, 3, 3}, std::vector<float>(9, 1))}})));
  const auto& layer = std::get<network::OblongConvolution>(LayersOf(read).front().kind);
  EXPECT_EQ(layer.window.padding, (network::Borders{.top = 0, .left = 0, .bottom = 1, .right = 1}));
}

TEST(GraphReaderTest, ADivisionByTheLengthIsLeftOut) {
  const std::vector<OnnxNode> nodes = {
      {.op = "Flatten", .inputs = {"x"}, .outputs = {"list"}},
      {.op = "ReduceL2",
       .inputs = {"list"},
       .outputs = {"length"},
       .attributes = {{"axes", std::vector<int64_t>{1}}}},
      {.op = "Clip", .inputs = {"length", "least"}, .outputs = {"safe"}},
      {.op = "Expand", .inputs = {"safe", "shape"}, .outputs = {"wide"}},
      {.op = "Div", .inputs = {"list", "wide"}, .outputs = {"y"}}};
  const TensorMap constants = {{"least", Floats({}, {1e-12F})}, {"shape", Numbers({1, 16})}};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork read, DescribeGraph(ModelOf(nodes, constants)));
  EXPECT_EQ(LayersOf(read).size(), 1U);
}

TEST(GraphReaderTest, NothingMayFollowTheNormalisedEmbedding) {
  OnnxModel model = ModelOf({{.op = "Flatten", .inputs = {"x"}, .outputs = {"list"}},
                             {.op = "LpNormalization", .inputs = {"list"}, .outputs = {"unit"}},
                             {.op = "MatMul", .inputs = {"unit", "weight"}, .outputs = {"y"}}},
                            {{"weight", Floats({16, 1}, std::vector<float>(16, 1))}});
  EXPECT_THAT(MessageOf(DescribeGraph(std::move(model)).status()),
              HasSubstr("follows the normalised embedding"));
}

TEST(GraphReaderTest, NamesTheOperatorThatItDoesNotKnow) {
  OnnxModel model =
      ModelOf({{.op = "Softmax", .name = "last", .inputs = {"x"}, .outputs = {"y"}}}, {});
  const Status status = DescribeGraph(std::move(model)).status();
  EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(MessageOf(status), HasSubstr("operator Softmax (node \"last\")"));
}

TEST(GraphReaderTest, LeavesOutWhatTheOutputDoesNotNeed) {
  OnnxModel model = ModelOf({{.op = "Softmax", .inputs = {"x"}, .outputs = {"unused"}},
                             {.op = "Flatten", .inputs = {"x"}, .outputs = {"y"}}},
                            {});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork read, DescribeGraph(std::move(model)));
  EXPECT_EQ(LayersOf(read).size(), 1U);
}

}  // namespace
}  // namespace facegate
