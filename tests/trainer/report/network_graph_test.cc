#include "trainer/report/network_graph.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "face/network/architecture.h"
#include "face/network/tensor_list.h"
#include "tensorboard/graph.pb.h"
#include "tests/support/small_graph.h"
#include "tests/support/status_matchers.h"

namespace facegate::report {
namespace {

using tensorboard::NodeDef;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

tensorboard::GraphDef GraphOf(const network::Description& description) {
  tensorboard::GraphDef graph;
  const StatusOr<std::string> bytes = NetworkGraph(description);
  EXPECT_THAT(bytes, IsOk());
  EXPECT_TRUE(graph.ParseFromString(bytes.value_or("")));
  return graph;
}

NodeDef NodeOf(const tensorboard::GraphDef& graph, std::string_view name) {
  for (const NodeDef& node : graph.node()) {
    if (node.name() == name) return node;
  }
  ADD_FAILURE() << "there is no node " << name;
  return {};
}

tensorboard::AttrValue ValueOf(const NodeDef& node, std::string_view key) {
  for (const tensorboard::NamedValue& attribute : node.attr()) {
    if (attribute.key() == key) return attribute.value();
  }
  return {};
}

std::vector<int64_t> ShapeOf(const NodeDef& node) {
  std::vector<int64_t> extents;
  const tensorboard::AttrValue shapes = ValueOf(node, "_output_shapes");
  if (shapes.list().shape_size() != 1) return extents;
  for (const auto& dim : shapes.list().shape(0).dim()) extents.push_back(dim.size());
  return extents;
}

// A field of bytes, shorter than 128: its tag is its number times eight, plus two.
std::string Field(int number, const std::string& bytes) {
  return std::string(1, static_cast<char>(number * 8 + 2)) +
         std::string(1, static_cast<char>(bytes.size())) + bytes;
}

// The bytes that TensorFlow's own field numbers give (protobuf.dev/programming-guides/encoding).
TEST(NetworkGraphTest, WritesThePublishedFieldNumbers) {
  using namespace std::string_literals;
  const network::Description small{.name = "small",
                                   .input = {.channels = 1, .height = 2, .width = 3},
                                   .outputs = 6,
                                   .layers = {{"flat", network::Flatten{}},
                                              {"drop", network::Dropout{.probability = 0.5}},
                                              {"norm", network::BatchNorm{.channels = 6}}},
                                   .more = {}};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string bytes, NetworkGraph(small));
  const auto attribute = [](const std::string& key, const std::string& value) {
    return Field(5, Field(1, key) + Field(2, value));
  };
  const auto shape = [&](const std::string& dims) {
    const std::string any = Field(2, "\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);  // -1
    return attribute("_output_shapes", Field(1, Field(7, any + dims)));
  };
  const std::string picture =
      shape(Field(2, "\x08\x01") + Field(2, "\x08\x02") + Field(2, "\x08\x03"));
  const std::string list = shape(Field(2, "\x08\x06"));
  const std::string input = Field(1, "input") + Field(2, "Placeholder") + picture;
  const std::string flat = Field(1, "flat") + Field(2, "Flatten") + Field(3, "input") + list;
  const std::string drop = Field(1, "drop") + Field(2, "Dropout") + Field(3, "flat") + list +
                           attribute("probability", "\x25\0\0\0\x3f"s);
  const std::string before = Field(1, input) + Field(1, flat) + Field(1, drop);
  EXPECT_EQ(bytes.substr(0, before.size()), before);
  EXPECT_THAT(bytes, HasSubstr(attribute("channels", "\x18\x06"s)));
  EXPECT_THAT(bytes, HasSubstr(attribute("affine", "\x28\x01"s)));
}

TEST(NetworkGraphTest, NamesLayersByTheirScopes) {
  const tensorboard::GraphDef graph = GraphOf(DescribeArchitecture("iresnet-18").value());
  EXPECT_EQ(graph.node(0).name(), "input");
  EXPECT_EQ(graph.node(0).op(), "Placeholder");
  const NodeDef conv = NodeOf(graph, "layer1/0/conv1");
  EXPECT_EQ(conv.op(), "Convolution");
  EXPECT_THAT(conv.input(), ElementsAre("layer1/0/bn1"));
  EXPECT_THAT(ShapeOf(conv), ElementsAre(-1, 64, 112, 112));
  EXPECT_EQ(ValueOf(conv, "parameters").i(), 64 * 64 * 9);
  EXPECT_EQ(ValueOf(conv, "kernel").i(), 3);
}

TEST(NetworkGraphTest, ResidualsAddTheirInputOrTheirShortcut) {
  const tensorboard::GraphDef graph = GraphOf(DescribeArchitecture("iresnet-18").value());
  const NodeDef first = NodeOf(graph, "layer1/0/add");
  EXPECT_EQ(first.op(), "Add");
  EXPECT_THAT(first.input(), ElementsAre("layer1/0/bn3", "layer1/0/downsample/1"));
  EXPECT_THAT(NodeOf(graph, "layer1/1/add").input(), ElementsAre("layer1/1/bn3", "layer1/0/add"));
}

TEST(NetworkGraphTest, JoinsAndRepeatedCallsOfAGraphAreNodes) {
  const tensorboard::GraphDef graph = GraphOf(SmallGraph());
  EXPECT_THAT(NodeOf(graph, "graph/multiply").input(),
              ElementsAre("graph/mean", "graph/gate/sigmoid"));
  EXPECT_THAT(NodeOf(graph, "graph/multiply_1").input(),
              ElementsAre("graph/multiply", "graph/list/fc"));
  EXPECT_THAT(NodeOf(graph, "graph/block/prelu").input(), ElementsAre("graph/multiply_1"));
  EXPECT_THAT(NodeOf(graph, "graph/block/prelu_1").input(), ElementsAre("graph/add"));
  EXPECT_THAT(NodeOf(graph, "graph/concat").input(),
              ElementsAre("graph/subtract", "graph/stem/act"));
  EXPECT_EQ(NodeOf(graph, "graph/concat").op(), "Concat");
  EXPECT_THAT(ShapeOf(NodeOf(graph, "graph/fc")), ElementsAre(-1, 5));
}

// Of each network: names are there once, inputs are nodes before, parameters are all there.
TEST(NetworkGraphTest, IsWholeForEachArchitecture) {
  for (const std::string& name : ArchitectureNames()) {
    const network::Description description = DescribeArchitecture(name, 0.1).value();
    std::set<std::string> names;
    std::set<std::string> unused;
    int64_t parameters = 0;
    const tensorboard::GraphDef graph = GraphOf(description);
    for (const NodeDef& node : graph.node()) {
      for (const std::string& input : node.input()) {
        EXPECT_TRUE(names.contains(input)) << name << ": " << node.name() << " takes " << input;
        unused.erase(input);
      }
      EXPECT_TRUE(names.insert(node.name()).second) << name << ": " << node.name();
      unused.insert(node.name());
      parameters += ValueOf(node, "parameters").i();
    }
    EXPECT_EQ(unused.size(), 1U) << name;
    EXPECT_EQ(parameters, network::CountParameters(network::TensorsOf(description))) << name;
  }
}

TEST(NetworkGraphTest, RefusesLayersThatDoNotFit) {
  network::Description wrong = DescribeArchitecture("iresnet-18").value();
  wrong.input.height = 5;
  EXPECT_THAT(NetworkGraph(wrong), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate::report
