#include "face/onnx/graph_reader.h"

#include <gmock/gmock.h>

#include <limits>
#include <numeric>
#include <optional>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "face/network/architecture.h"
#include "face/network/census.h"
#include "face/network/description_json.h"
#include "face/network/random_weights.h"
#include "face/network/shape_map.h"
#include "face/onnx/network_graph.h"
#include "tests/support/small_graph.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

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
                           "ghostfacenet-v1-s2", "adaface-ir-50"}) {
    const network::Description description = DescribeArchitecture(name).value();
    FACEGATE_ASSERT_OK_AND_ASSIGN(
        OnnxModel model,
        MakeNetworkGraph(description, RandomWeights(description, 1), {.normalise = true}));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork read, DescribeGraph(std::move(model)));
    EXPECT_EQ(read.description.outputs, description.outputs);
    EXPECT_EQ(read.description.input, description.input);
    EXPECT_EQ(network::CensusOf(read.description), network::CensusOf(description)) << name;
    EXPECT_EQ(read.largest_pixel, std::nullopt);
    EXPECT_EQ(CompareShapes(ShapesOf(read.description), read.tensors).count, 0U) << name;
    EXPECT_THAT(DescriptionFromJson(DescriptionToJson(read.description)), IsOk());
  }
}

TEST(GraphReaderTest, TellsThatAGraphPreparesItsInput) {
  const network::Description description = DescribeArchitecture("mobilefacenet-128").value();
  for (const ColourOrder order : {ColourOrder::kRgb, ColourOrder::kBgr}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(
        OnnxModel model,
        MakeNetworkGraph(description, RandomWeights(description, 1),
                         {.preprocessing = {.colour_order = order}, .pixels = OnnxPixels::kFloat}));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork read, DescribeGraph(std::move(model)));
    EXPECT_EQ(read.largest_pixel, 255.0);
  }
}

// The largest pixel that a graph is made for that applies these operators to it.
std::optional<double> LargestPixelOf(const std::vector<std::pair<std::string, float>>& steps) {
  std::vector<OnnxNode> nodes;
  TensorMap numbers;
  std::string value = "x";
  for (const auto& [op, number] : steps) {
    const std::string name = std::to_string(nodes.size());
    numbers[name] = Floats({}, {number});
    nodes.push_back({.op = op, .inputs = {value, name}, .outputs = {"value" + name}});
    value = nodes.back().outputs.front();
  }
  nodes.push_back({.op = "Flatten", .inputs = {value}, .outputs = {"y"}});
  return DescribeGraph(ModelOf(std::move(nodes), std::move(numbers))).value().largest_pixel;
}

TEST(GraphReaderTest, TellsWhichPixelsAGraphPrepares) {
  EXPECT_EQ(LargestPixelOf({{"Sub", 127.5F}, {"Div", 127.5F}}), 255.0);
  EXPECT_EQ(LargestPixelOf({{"Sub", 0.5F}, {"Div", 0.5F}}), 1.0);
  EXPECT_EQ(LargestPixelOf({{"Div", 255.0F}, {"Sub", 0.5F}, {"Div", 0.5F}}), 255.0);
  EXPECT_EQ(LargestPixelOf({{"Mul", 2.0F}, {"Sub", 1.0F}}), 1.0);
  EXPECT_EQ(LargestPixelOf({{"Mul", 1 / 255.0F}}), 255.0);
  EXPECT_EQ(LargestPixelOf({{"Sub", 127.5F}}), 255.0);
  EXPECT_EQ(LargestPixelOf({}), std::nullopt);
}

TEST(GraphReaderTest, ReadsEveryKindOfLayerThatIsWritten) {
  network::Description description = SmallGraph(3);
  FACEGATE_ASSERT_OK_AND_ASSIGN(OnnxModel model,
                                MakeNetworkGraph(description, RandomWeights(description, 1), {}));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork read, DescribeGraph(std::move(model)));
  EXPECT_EQ(CompareShapes(ShapesOf(read.description), read.tensors).count, 0U);
  std::set<size_t> written;
  for (const network::Layer& layer :
       std::get<network::Graph>(description.layers.front().kind).layers) {
    written.insert(layer.kind.index());
  }
  std::set<size_t> kinds;
  for (const network::Layer& layer : LayersOf(read)) kinds.insert(layer.kind.index());
  EXPECT_EQ(kinds, written);
}

TEST(GraphReaderTest, RefusesAPictureThatIsNone) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(OnnxModel model,
                                MakeNetworkGraph(SmallGraph(), RandomWeights(SmallGraph(), 1), {}));
  EXPECT_THAT(MessageOf(DescribeGraph(model).status()), HasSubstr("2 channels, expected 1 or 3"));
}

TEST(GraphReaderTest, TakesTheSidesThatAreGivenWhereTheGraphLeavesThemOpen) {
  OnnxModel model = ModelOf({{.op = "Flatten", .inputs = {"x"}, .outputs = {"y"}}}, {});
  EXPECT_FALSE(DescribeGraph(model).value().open_sides);
  model.inputs.front().shape = {"N", int64_t{3}, "H", int64_t{6}};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork usual, DescribeGraph(model));
  EXPECT_TRUE(usual.open_sides);
  EXPECT_EQ(usual.description.input, (network::Input{3, 112, 6}));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork given,
                                DescribeGraph(model, network::Sides{8, 9}));
  EXPECT_EQ(given.description.input, (network::Input{3, 8, 6}));
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

std::vector<float> Rising(size_t count) {
  std::vector<float> numbers(count);
  std::iota(numbers.begin(), numbers.end(), 0.0F);
  return numbers;
}

// Numbers that rise in the order H, W, C, put into the order C, H, W.
std::vector<float> RisingInOrder(size_t channels, size_t places) {
  std::vector<float> numbers(channels * places);
  for (size_t place = 0; place < places; ++place) {
    for (size_t channel = 0; channel < channels; ++channel) {
      numbers[channel * places + place] = static_cast<float>(place * channels + channel);
    }
  }
  return numbers;
}

TEST(GraphReaderTest, ProductsOfChannelsLastAreBroughtIntoOrder) {
  OnnxModel model =
      ModelOf({{.op = "Conv", .inputs = {"x", "kernel"}, .outputs = {"two"}},
               {.op = "Transpose",
                .inputs = {"two"},
                .outputs = {"last"},
                .attributes = {{"perm", std::vector<int64_t>{0, 2, 3, 1}}}},
               {.op = "Flatten", .inputs = {"last"}, .outputs = {"list"}},
               {.op = "MatMul", .inputs = {"list", "weight"}, .outputs = {"y"}}},
              {{"kernel", Floats({2, 1, 1, 1}, {1, 2})}, {"weight", Floats({32, 1}, Rising(32))}});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork read, DescribeGraph(std::move(model)));
  EXPECT_EQ(read.tensors.at("graph.matmul2.weight").bytes, Bytes(RisingInOrder(2, 16)));
}

// Slopes of channels that come last are the network's channels all the same.
TEST(GraphReaderTest, ActivationsLeaveTheOrderOfChannels) {
  const std::vector<OnnxNode> activations = {
      {.op = "PRelu", .inputs = {"last", "slopes"}, .outputs = {"active"}},
      {.op = "LeakyRelu", .inputs = {"last"}, .outputs = {"active"}}};
  for (const OnnxNode& activation : activations) {
    OnnxModel model = ModelOf({{.op = "Conv", .inputs = {"x", "kernel"}, .outputs = {"two"}},
                               {.op = "Transpose",
                                .inputs = {"two"},
                                .outputs = {"last"},
                                .attributes = {{"perm", std::vector<int64_t>{0, 2, 3, 1}}}},
                               activation,
                               {.op = "Flatten", .inputs = {"active"}, .outputs = {"list"}},
                               {.op = "MatMul", .inputs = {"list", "weight"}, .outputs = {"y"}}},
                              {{"kernel", Floats({2, 1, 1, 1}, {1, 2})},
                               {"slopes", Floats({1, 1, 2}, {3, 4})},
                               {"weight", Floats({32, 1}, Rising(32))}});
    FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork read, DescribeGraph(std::move(model)));
    EXPECT_EQ(read.tensors.at("graph.matmul3.weight").bytes, Bytes(RisingInOrder(2, 16)));
  }
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

// What is said of a graph that ends in a Flatten of "v", which these nodes make of "x".
std::string RefusalOf(std::vector<OnnxNode> nodes, const TensorMap& constants = {}) {
  nodes.push_back({.op = "Flatten", .inputs = {"v"}, .outputs = {"y"}});
  const auto read = DescribeGraph(ModelOf(std::move(nodes), constants));
  EXPECT_THAT(read, StatusIs(StatusCode::kInvalidArgument));
  return std::string(MessageOf(read.status()));
}

// The shape of a Reshape that is computed by that operator of two lists of numbers.
std::string FoldingRefusal(const std::string& op, const std::vector<int64_t>& one,
                           const std::vector<int64_t>& other) {
  return RefusalOf({{.op = op, .inputs = {"a", "b"}, .outputs = {"shape"}},
                    {.op = "Reshape", .inputs = {"x", "shape"}, .outputs = {"v"}}},
                   {{"a", Numbers(one)}, {"b", Numbers(other)}});
}

TEST(GraphReaderTest, RefusesWhatConstantsCannotBeComputedTo) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  constexpr int64_t kMost = std::numeric_limits<int64_t>::max();
  const auto refused = HasSubstr("does not fit its constants");
  EXPECT_THAT(FoldingRefusal("Div", {kLeast}, {-1}), refused);
  EXPECT_THAT(FoldingRefusal("Div", {1}, {0}), refused);
  EXPECT_THAT(FoldingRefusal("Div", {}, {1}), refused);
  EXPECT_THAT(FoldingRefusal("Add", {kMost}, {1}), refused);
  EXPECT_THAT(FoldingRefusal("Sub", {kLeast}, {1}), refused);
  EXPECT_THAT(FoldingRefusal("Mul", {kMost}, {2}), refused);
  EXPECT_THAT(FoldingRefusal("Squeeze", {1}, {kMost}), refused);
  EXPECT_THAT(FoldingRefusal("Unsqueeze", {1}, {kLeast}), refused);
  EXPECT_THAT(FoldingRefusal("Gather", {1}, {kLeast}), refused);
}

// PyTorch's exporter writes left, right, top and bottom of a padding, fills up with zeros, and
// turns the list of pairs round.
TEST(GraphReaderTest, FollowsThePaddingThatPyTorchComputes) {
  const Tensor zero{.dtype = DType::kI64, .shape = {1}, .bytes = std::string(8, '\0')};
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const GraphNetwork read,
      DescribeGraph(ModelOf({{.op = "ConstantOfShape",
                              .inputs = {"four"},
                              .outputs = {"zeros"},
                              .attributes = {{"value", zero}}},
                             {.op = "Concat",
                              .inputs = {"sides", "zeros"},
                              .outputs = {"all"},
                              .attributes = {{"axis", int64_t{0}}}},
                             {.op = "Reshape", .inputs = {"all", "pairs"}, .outputs = {"rows"}},
                             {.op = "Neg", .inputs = {"one"}, .outputs = {"back"}},
                             {.op = "Slice",
                              .inputs = {"rows", "back", "least", "zero", "back"},
                              .outputs = {"turned"}},
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
                             {"least", Numbers({std::numeric_limits<int64_t>::min()})}})));
  const auto& pad = std::get<network::Pad>(LayersOf(read).front().kind);
  EXPECT_EQ(pad.borders, (network::Borders{.top = 3, .left = 1, .bottom = 4, .right = 2}));
}

TEST(GraphReaderTest, RefusesWindowsOutOfRange) {
  const TensorMap kernel = {{"k", Floats({1, 1, 1, 1}, {1})}};
  for (const int64_t number : {int64_t{0}, int64_t{1025}, std::numeric_limits<int64_t>::max()}) {
    for (const char* name : {"strides", "dilations"}) {
      EXPECT_THAT(RefusalOf({{.op = "Conv",
                              .inputs = {"x", "k"},
                              .outputs = {"v"},
                              .attributes = {{name, std::vector<int64_t>{1, number}}}}},
                            kernel),
                  HasSubstr("two numbers of 1 to 1024"));
    }
    EXPECT_THAT(RefusalOf({{.op = "MaxPool",
                            .inputs = {"x"},
                            .outputs = {"v"},
                            .attributes = {{"kernel_shape", std::vector<int64_t>{number, 1}}}}}),
                HasSubstr("two numbers of 1 to 1024"));
  }
  const std::vector<int64_t> wide = {0, 0, std::numeric_limits<int64_t>::max(), 0};
  EXPECT_THAT(
      RefusalOf(
          {{.op = "Conv", .inputs = {"x", "k"}, .outputs = {"v"}, .attributes = {{"pads", wide}}}},
          kernel),
      HasSubstr("four numbers of 0 to 1024"));
  std::vector<int64_t> all(8);
  all[2] = std::numeric_limits<int64_t>::max();
  EXPECT_THAT(
      RefusalOf({{.op = "Pad", .inputs = {"x"}, .outputs = {"v"}, .attributes = {{"pads", all}}}}),
      HasSubstr("pads otherwise"));
}

TEST(GraphReaderTest, LimitsTheCopiesOfWeights) {
  // A list that is joined with itself again and again.
  std::vector<OnnxNode> nodes;
  std::string list = "one";
  for (int i = 0; i < 60; ++i) {
    const std::string longer = std::to_string(i);
    nodes.push_back({.op = "Concat", .inputs = {list, list}, .outputs = {longer}});
    list = longer;
  }
  nodes.push_back({.op = "Reshape", .inputs = {"x", list}, .outputs = {"v"}});
  EXPECT_THAT(RefusalOf(nodes, {{"one", Numbers({1})}}), HasSubstr("does not fit its constants"));
  // One kernel in many convolutions.
  nodes.clear();
  std::string value = "x";
  for (int i = 0; i < 30; ++i) {
    const std::string next = i == 29 ? "v" : "value" + std::to_string(i);
    nodes.push_back({.op = "Conv",
                     .inputs = {value, "k"},
                     .outputs = {next},
                     .attributes = {{"pads", std::vector<int64_t>(4, 512)}}});
    value = next;
  }
  EXPECT_THAT(
      RefusalOf(nodes, {{"k", Floats({1, 1, 1023, 1023}, std::vector<float>(1023 * 1023))}}),
      HasSubstr("more copies"));
}

TEST(GraphReaderTest, LimitsTheSizeOfWhatIsJoined) {
  std::vector<OnnxNode> nodes;
  std::string value = "x";
  for (int i = 0; i < 70; ++i) {
    const std::string next = i == 69 ? "v" : "value" + std::to_string(i);
    nodes.push_back({.op = "Concat", .inputs = {value, value}, .outputs = {next}});
    value = next;
  }
  EXPECT_THAT(RefusalOf(nodes), HasSubstr("limit is 268435456 numbers"));
}

TEST(GraphReaderTest, TellsThePartOfAShapeThatIsAskedFor) {
  const auto outputs = [](int64_t start, int64_t end) {
    const auto read =
        DescribeGraph(ModelOf({{.op = "Shape",
                                .inputs = {"x"},
                                .outputs = {"part"},
                                .attributes = {{"start", start}, {"end", end}}},
                               {.op = "Concat", .inputs = {"part", "rest"}, .outputs = {"wanted"}},
                               {.op = "Reshape", .inputs = {"x", "wanted"}, .outputs = {"y"}}},
                              {{"rest", Numbers({-1})}}));
    return read.ok() ? read->description.outputs : -1;
  };
  EXPECT_EQ(outputs(0, 1), 16);
  EXPECT_EQ(outputs(-4, -3), 16);
  EXPECT_EQ(outputs(0, 4), -1);  // 1, 1, 4, 4 and what is left
}

TEST(GraphReaderTest, RefusesToMakeThePictureWhole) {
  EXPECT_THAT(
      RefusalOf(
          {{.op = "Cast", .inputs = {"x"}, .outputs = {"v"}, .attributes = {{"to", int64_t{7}}}}}),
      HasSubstr("other numbers than fractions"));
}

TEST(GraphReaderTest, CastsOfConstantsChangeTheirType) {
  // The shape is computed in fractions: 1.5 becomes 1.
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const GraphNetwork read,
      DescribeGraph(ModelOf({{.op = "Cast",
                              .inputs = {"numbers"},
                              .outputs = {"wanted"},
                              .attributes = {{"to", int64_t{7}}}},
                             {.op = "Reshape", .inputs = {"x", "wanted"}, .outputs = {"y"}}},
                            {{"numbers", Floats({2}, {1.5F, -1.0F})}})));
  EXPECT_EQ(read.description.outputs, 16);
}

TEST(GraphReaderTest, LengthsAreThoseOfEachEmbedding) {
  const auto refusal = [](std::vector<int64_t> axes, int64_t keep) {
    return RefusalOf({{.op = "Flatten", .inputs = {"x"}, .outputs = {"list"}},
                      {.op = "ReduceL2",
                       .inputs = {"list"},
                       .outputs = {"length"},
                       .attributes = {{"axes", std::move(axes)}, {"keepdims", keep}}},
                      {.op = "Div", .inputs = {"list", "length"}, .outputs = {"v"}}});
  };
  EXPECT_THAT(refusal({0}, 1), HasSubstr("length over other axes"));
  EXPECT_THAT(refusal({0, 1}, 1), HasSubstr("length over other axes"));
  EXPECT_THAT(refusal({1}, 0), HasSubstr("length over other axes"));
}

TEST(GraphReaderTest, ALengthIsNotChanged) {
  EXPECT_THAT(RefusalOf({{.op = "Flatten", .inputs = {"x"}, .outputs = {"list"}},
                         {.op = "ReduceL2",
                          .inputs = {"list"},
                          .outputs = {"length"},
                          .attributes = {{"axes", std::vector<int64_t>{1}}}},
                         {.op = "Sub", .inputs = {"length", "much"}, .outputs = {"less"}},
                         {.op = "Div", .inputs = {"list", "less"}, .outputs = {"v"}}},
                        {{"much", Floats({}, {1e6F})}}),
              HasSubstr("changes the length"));
}

}  // namespace
}  // namespace facegate
