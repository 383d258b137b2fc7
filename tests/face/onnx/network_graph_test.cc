#include "face/onnx/network_graph.h"

#include <gmock/gmock.h>

#include <set>
#include <string>
#include <utility>
#include <vector>

#include "face/network/architecture.h"
#include "face/network/random_weights.h"
#include "face/network/shape_map.h"
#include "face/onnx/onnx_file.h"
#include "face/onnx/onnx_state_dict.h"
#include "tests/support/small_transformer.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr char kGraphNet[] = "mobilefacenet-128";

StatusOr<OnnxModel> GraphOf(const std::string& architecture, TensorMap tensors,
                            const NetworkGraphOptions& options = {}) {
  FACEGATE_ASSIGN_OR_RETURN(const network::Description description,
                            DescribeArchitecture(architecture));
  return MakeNetworkGraph(description, std::move(tensors), options);
}

std::vector<std::string> FirstOperators(const OnnxModel& model, size_t count) {
  std::vector<std::string> operators;
  for (size_t i = 0; i < count; ++i) operators.push_back(model.nodes[i].op);
  return operators;
}

// Weights of which no two tensors are alike.
StatusOr<TensorMap> PatternWeights(const std::string& architecture) {
  FACEGATE_ASSIGN_OR_RETURN(const network::Description description,
                            DescribeArchitecture(architecture));
  TensorMap tensors;
  for (const auto& [name, shape] : ShapesOf(description)) {
    Tensor tensor{
        .dtype = IsBatchCounter(name) ? DType::kI64 : DType::kF32, .shape = shape, .bytes = {}};
    const size_t size = static_cast<size_t>(tensor.element_count()) * SizeOf(tensor.dtype);
    tensor.bytes = std::string(size, static_cast<char>(tensors.size()));
    tensor.bytes[0] = static_cast<char>(tensors.size() / 256);
    tensors.emplace(name, std::move(tensor));
  }
  return tensors;
}

// Through the bytes of a file.
StatusOr<TensorMap> ThroughAFile(OnnxModel model) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, SerializeOnnx(std::move(model)));
  FACEGATE_ASSIGN_OR_RETURN(OnnxModel read, ParseOnnx(bytes, ""));
  FACEGATE_ASSIGN_OR_RETURN(Safetensors file, TakeStateDict(std::move(read)));
  return std::move(file.tensors);
}

TEST(NetworkGraphTest, GivesBackEveryArchitectureToTheBit) {
  for (const char* architecture : {"mobilefacenet-128", "mobilefacenet-512", "iresnet-18",
                                   "irse-50", "keras-mobilenetv2", "ghostfacenet-v1-s2", "vit-t"}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap tensors, PatternWeights(architecture));
    FACEGATE_ASSERT_OK_AND_ASSIGN(
        OnnxModel model,
        GraphOf(architecture, tensors, {.pixels = OnnxPixels::kUint8, .normalise = true}));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap back, ThroughAFile(std::move(model)));
    EXPECT_TRUE(back == tensors) << architecture;
  }
}

// Of all kinds: a subnormal one, the largest one, infinity.
Tensor HalfTensor(const std::vector<int64_t>& shape) {
  Tensor tensor{.dtype = DType::kF16, .shape = shape, .bytes = {}};
  const std::string numbers("\x01\0\xff\x7b\0\x7c\x34\xb2", 8);
  while (tensor.bytes.size() < static_cast<size_t>(tensor.element_count()) * 2) {
    tensor.bytes += numbers;
  }
  return tensor;
}

TEST(NetworkGraphTest, GivesBackNumbersOf16BitsWhetherTheyAreKeptOrNot) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(TensorMap tensors, PatternWeights(kGraphNet));
  for (const char* name : {"conv1.prelu.weight", "features.weight"}) {
    tensors.at(name) = HalfTensor(tensors.at(name).shape);
  }
  for (const bool keep_half : {false, true}) {
    FACEGATE_ASSERT_OK_AND_ASSIGN(OnnxModel model,
                                  GraphOf(kGraphNet, tensors, {.keep_half = keep_half}));
    EXPECT_EQ(model.initializers.at("features.weight").dtype,
              keep_half ? DType::kF16 : DType::kF32);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap back, ThroughAFile(std::move(model)));
    EXPECT_TRUE(back == tensors) << keep_half;
  }
}

TEST(NetworkGraphTest, TakesEveryValueFromWhatStandsBefore) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(TensorMap tensors, PatternWeights("irse-50"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const OnnxModel model,
      GraphOf("irse-50", std::move(tensors), {.pixels = OnnxPixels::kFloat, .normalise = true}));
  std::set<std::string> known = {"data"};
  for (const auto& [name, tensor] : model.initializers) known.insert(name);
  for (const OnnxNode& node : model.nodes) {
    for (const std::string& input : node.inputs) EXPECT_TRUE(known.contains(input)) << input;
    EXPECT_TRUE(known.insert(node.outputs.front()).second) << node.outputs.front();
  }
  EXPECT_TRUE(known.contains("embedding"));
  EXPECT_EQ(model.outputs.front().shape->back(), OnnxExtent(int64_t{512}));
}

TEST(NetworkGraphTest, KeepsItsInputAndOutputApartFromLayersOfTheirNames) {
  using namespace network;  // NOLINT(google-build-using-namespace)
  const Description description{.name = "net",
                                .input = {.channels = 3, .height = 2, .width = 2},
                                .outputs = 4,
                                .layers = {{"embedding", Convolution{{.in = 3, .out = 1}}},
                                           {"data", Relu{}},
                                           {"flatten", Flatten{}},
                                           {"fc", Linear{.in = 4, .out = 4}}},
                                .more = {}};
  TensorMap tensors;
  for (const auto& [name, shape] : ShapesOf(description)) {
    tensors[name] = {.dtype = DType::kF32, .shape = shape, .bytes = {}};
    tensors[name].bytes.resize(static_cast<size_t>(tensors[name].element_count()) * 4);
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const OnnxModel model,
                                MakeNetworkGraph(description, std::move(tensors), {}));
  EXPECT_THAT(model.nodes[0].inputs, ElementsAre("data", "embedding.weight"));
  EXPECT_THAT(model.nodes[0].outputs, ElementsAre("embedding/value"));
  EXPECT_THAT(model.nodes[2].inputs, ElementsAre("data/value"));
  EXPECT_THAT(model.nodes[3].outputs, ElementsAre("embedding"));
}

// The output is read by another call, which nothing needs.
TEST(NetworkGraphTest, GivesWhatAnEarlierLayerMade) {
  using namespace network;  // NOLINT(google-build-using-namespace)
  Graph graph{.layers = {{"flatten", Flatten{}}, {"relu", Relu{}}, {"drop", Dropout{}}},
              .calls = {{size_t{0}, {0}}, {size_t{1}, {1}}, {size_t{2}, {1}}}};
  const Description description{.name = "net",
                                .input = {.channels = 3, .height = 1, .width = 1},
                                .outputs = 3,
                                .layers = {{"graph", std::move(graph)}},
                                .more = {}};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const OnnxModel model, MakeNetworkGraph(description, {}, {}));
  EXPECT_THAT(FirstOperators(model, 3), ElementsAre("Flatten", "Relu", "Identity"));
  EXPECT_EQ(model.nodes[1].inputs, model.nodes[0].outputs);
  EXPECT_EQ(model.nodes[2].inputs, model.nodes[0].outputs);
  EXPECT_THAT(model.nodes[2].outputs, ElementsAre("embedding"));
}

TEST(NetworkGraphTest, WritesTokensInPlainOperators) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const OnnxModel model,
      MakeNetworkGraph(SmallTransformer(), RandomWeights(SmallTransformer(), 3), {}));
  EXPECT_THAT(FirstOperators(model, 8),
              ElementsAre("Conv", "DepthToSpace", "Conv", "BatchNormalization", "Reshape",
                          "Transpose", "Add", "ReduceMean"));
  std::set<std::string> known = {"data"};
  for (const auto& [name, tensor] : model.initializers) known.insert(name);
  for (const OnnxNode& node : model.nodes) {
    for (const std::string& input : node.inputs) EXPECT_TRUE(known.contains(input)) << input;
    EXPECT_TRUE(known.insert(node.outputs.front()).second) << node.outputs.front();
  }
  EXPECT_EQ(model.nodes.back().op, "Gemm");
}

TEST(NetworkGraphTest, GivesAListWhereTheNetworkEndsInAMap) {
  using namespace network;  // NOLINT(google-build-using-namespace)
  const Description description{.name = "net",
                                .input = {.channels = 3, .height = 2, .width = 2},
                                .outputs = 3,
                                .layers = {{"mean", GlobalAverage{}}},
                                .more = {}};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const OnnxModel model, MakeNetworkGraph(description, {}, {}));
  EXPECT_THAT(FirstOperators(model, 2), ElementsAre("GlobalAveragePool", "Flatten"));
}

TEST(NetworkGraphTest, PreparesPixelsInTheOrderOfTheNetwork) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap tensors, PatternWeights(kGraphNet));
  NetworkGraphOptions options{.pixels = OnnxPixels::kUint8};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const OnnxModel rgb, GraphOf(kGraphNet, tensors, options));
  EXPECT_THAT(FirstOperators(rgb, 4), ElementsAre("Cast", "Sub", "Mul", "Conv"));
  EXPECT_EQ(rgb.inputs.front().dtype, DType::kU8);
  options.preprocessing.colour_order = ColourOrder::kBgr;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const OnnxModel bgr, GraphOf(kGraphNet, tensors, options));
  EXPECT_THAT(FirstOperators(bgr, 4), ElementsAre("Cast", "Conv", "Sub", "Mul"));
}

TEST(NetworkGraphTest, SaysInWordsWhatItTakes) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap tensors, PatternWeights(kGraphNet));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const OnnxModel model, GraphOf(kGraphNet, tensors));
  EXPECT_EQ(model.metadata.at(kInputKey),
            "crops of arcface-112x112, R G B, (pixel - mean) * scale, mean 127.5 127.5 127.5, "
            "scale 0.007843138 0.007843138 0.007843138");
  EXPECT_EQ(model.metadata.at(kOutputKey), "not normalised");
}

TEST(NetworkGraphTest, RefusesTheTensorsOfAnotherNetwork) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(TensorMap tensors, PatternWeights(kGraphNet));
  tensors.erase("features.weight");
  const auto model = GraphOf(kGraphNet, std::move(tensors));
  EXPECT_THAT(model, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(model.status().ToString(), HasSubstr("\"features.weight\" is missing"));
}

TEST(OnnxStateDictTest, RefusesHalvesThatWereChanged) {
  OnnxModel model;
  model.metadata["facegate_float16"] = "[\"w\"]";
  EXPECT_THAT(TakeStateDict(model), StatusIs(StatusCode::kInvalidArgument));
  model.initializers["w"] = {
      .dtype = DType::kF32, .shape = {1}, .bytes = std::string("\x01\0\x80\x3f", 4)};
  const auto taken = TakeStateDict(model);
  EXPECT_THAT(taken.status().ToString(), HasSubstr("the model was changed"));
}

TEST(OnnxStateDictTest, RefusesCountersThatAreNone) {
  for (const char* json : {"", "[]", "{\"a\":1}", R"({"a.num_batches_tracked":"1"})",
                           R"({"a.num_batches_tracked":1,"a.num_batches_tracked":1})",
                           R"({"a.num_batches_tracked":[1]})"}) {
    OnnxModel model;
    model.metadata["facegate_batch_counters"] = json;
    EXPECT_THAT(TakeStateDict(model), StatusIs(StatusCode::kInvalidArgument)) << json;
  }
}

}  // namespace
}  // namespace facegate
