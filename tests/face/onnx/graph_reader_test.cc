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
#include "face/network/random_weights.h"
#include "face/network/shape_map.h"
#include "face/onnx/network_graph.h"
#include "tests/face/onnx/graph_models.h"
#include "tests/support/small_graph.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

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

TEST(GraphReaderTest, PadsOnlyByTheNamesThatAreKnown) {
  const auto convolution = [](const std::string& pads) {
    return OnnxNode{.op = "Conv",
                    .inputs = {"x", "k"},
                    .outputs = {"v"},
                    .attributes = {{"auto_pad", pads}, {"pads", std::vector<int64_t>(4, 1)}}};
  };
  const TensorMap kernel = {{"k", Floats({1, 1, 3, 3}, std::vector<float>(9, 1))}};
  EXPECT_THAT(RefusalOf({convolution("SAME_X")}, kernel), HasSubstr("pads by"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const GraphNetwork read,
      DescribeGraph(ModelOf(
          {convolution("VALID"), {.op = "Flatten", .inputs = {"v"}, .outputs = {"y"}}}, kernel)));
  EXPECT_EQ(read.description.outputs, 4);
}

TEST(GraphReaderTest, RefusesPadsThatAreNotWhole) {
  EXPECT_THAT(RefusalOf({{.op = "Pad",
                          .inputs = {"x", "pads"},
                          .outputs = {"v"},
                          .attributes = {{"pads", std::vector<int64_t>(8)}}}},
                        {{"pads", Floats({8}, std::vector<float>(8))}}),
              HasSubstr("pads that are not whole"));
}

TEST(GraphReaderTest, RefusesAFixedNumberOfPictures) {
  OnnxModel model = ModelOf({{.op = "Flatten", .inputs = {"x"}, .outputs = {"y"}}}, {});
  model.inputs.front().shape->front() = int64_t{8};
  EXPECT_THAT(MessageOf(DescribeGraph(model).status()), HasSubstr("8 pictures at once"));
}

TEST(GraphReaderTest, SaysOfALongShapeHowLongItIs) {
  EXPECT_THAT(RefusalOf({{.op = "Reshape", .inputs = {"x", "long"}, .outputs = {"v"}}},
                        {{"long", Numbers(std::vector<int64_t>(1000, 1))}}),
              HasSubstr("a value of 1000 extents"));
}

TEST(GraphReaderTest, RefusesToMakeThePictureWhole) {
  EXPECT_THAT(
      RefusalOf(
          {{.op = "Cast", .inputs = {"x"}, .outputs = {"v"}, .attributes = {{"to", int64_t{7}}}}}),
      HasSubstr("other numbers than fractions"));
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
  const auto refusal = [](const OnnxNode& change) {
    return RefusalOf({{.op = "Flatten", .inputs = {"x"}, .outputs = {"list"}},
                      {.op = "ReduceL2",
                       .inputs = {"list"},
                       .outputs = {"length"},
                       .attributes = {{"axes", std::vector<int64_t>{1}}}},
                      change,
                      {.op = "Div", .inputs = {"list", "less"}, .outputs = {"v"}}},
                     {{"much", Floats({}, {1e6F})}, {"below", Floats({}, {-1.0F})}});
  };
  const auto changes = HasSubstr("changes the length");
  EXPECT_THAT(refusal({.op = "Sub", .inputs = {"length", "much"}, .outputs = {"less"}}), changes);
  // It would be below zero, and turn the embedding round.
  EXPECT_THAT(refusal({.op = "Clip", .inputs = {"length", "", "below"}, .outputs = {"less"}}),
              changes);
}

}  // namespace
}  // namespace facegate
