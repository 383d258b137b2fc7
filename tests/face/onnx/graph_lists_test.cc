// Lists of numbers in a graph, with extents of 1 behind them or without.
#include <gmock/gmock.h>

#include <cstdint>
#include <string>
#include <utility>
#include <vector>

#include "face/onnx/graph_reader.h"
#include "tests/face/onnx/graph_models.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

// The mean of "x" as a list, and "list" with extents of 1 behind it, which is called "spread".
std::vector<OnnxNode> Lists() {
  return {{.op = "GlobalAveragePool", .inputs = {"x"}, .outputs = {"mean"}},
          {.op = "Flatten", .inputs = {"mean"}, .outputs = {"list"}},
          {.op = "Unsqueeze", .inputs = {"list", "places"}, .outputs = {"spread"}}};
}

OnnxModel ListModel(std::vector<OnnxNode> nodes, TensorMap constants = {}) {
  std::vector<OnnxNode> all = Lists();
  all.insert(all.end(), nodes.begin(), nodes.end());
  constants["places"] = Numbers({2, 3});
  OnnxModel model = ModelOf(std::move(all), std::move(constants));
  model.inputs.front().shape = {"N", int64_t{3}, int64_t{5}, int64_t{3}};
  return model;
}

std::string ListRefusal(std::vector<OnnxNode> nodes, const TensorMap& constants = {}) {
  const auto read = DescribeGraph(ListModel(std::move(nodes), constants));
  EXPECT_THAT(read, StatusIs(StatusCode::kInvalidArgument));
  return std::string(MessageOf(read.status()));
}

// In ONNX it would meet the map's columns.
TEST(GraphListsTest, AListMeetsAMapOnlyByItsChannels) {
  EXPECT_THAT(ListRefusal({{.op = "Mul", .inputs = {"x", "list"}, .outputs = {"y"}}}),
              HasSubstr("joins the shapes [1, 3, 5, 3] and [1, 3]"));
  EXPECT_THAT(
      DescribeGraph(ListModel({{.op = "Mul", .inputs = {"x", "spread"}, .outputs = {"y"}}})),
      IsOk());
}

TEST(GraphListsTest, ListsOfOtherRanksDoNotMeet) {
  EXPECT_THAT(ListRefusal({{.op = "Add", .inputs = {"list", "spread"}, .outputs = {"y"}}}),
              HasSubstr("joins the shapes"));
  EXPECT_THAT(ListRefusal({{.op = "Concat", .inputs = {"list", "spread"}, .outputs = {"y"}}}),
              HasSubstr("other ranks"));
}

TEST(GraphListsTest, WhatIsMadeOfASpreadListIsOne) {
  for (const OnnxNode& node :
       {OnnxNode{.op = "Sigmoid", .inputs = {"spread"}, .outputs = {"made"}},
        OnnxNode{.op = "Add", .inputs = {"spread", "spread"}, .outputs = {"made"}},
        OnnxNode{.op = "Add", .inputs = {"spread", "three"}, .outputs = {"made"}},
        OnnxNode{.op = "BatchNormalization",
        .inputs = {"spread", "flat", "flat", "flat", "flat"},
        .outputs = {"made"}},
        OnnxNode{.op = "Concat", .inputs = {"spread"}, .outputs = {"made"}}}) {
    EXPECT_THAT(DescribeGraph(ListModel(
                    {node, {.op = "Mul", .inputs = {"x", "made"}, .outputs = {"y"}}},
                    {{"three", Floats({3, 1, 1}, {1, 2, 3})}, {"flat", Floats({3}, {1, 2, 3})}})),
                IsOk())
        << node.op;
  }
}

TEST(GraphListsTest, AxesAreCountedByAllExtents) {
  const auto joined = [](int64_t axis) {
    return ListModel({{.op = "Concat",
                       .inputs = {"spread", "spread"},
                       .outputs = {"y"},
                       .attributes = {{"axis", axis}}}});
  };
  EXPECT_THAT(DescribeGraph(joined(-3)), IsOk());
  EXPECT_THAT(MessageOf(DescribeGraph(joined(-1)).status()), HasSubstr("another axis"));
  EXPECT_THAT(ListRefusal({{.op = "Flatten",
                            .inputs = {"list"},
                            .outputs = {"y"},
                            .attributes = {{"axis", int64_t{0}}}}}),
              HasSubstr("another axis"));
}

// Over its last axis each number has a length of its own.
TEST(GraphListsTest, LengthsAreNotOfSpreadLists) {
  const auto takes = HasSubstr("takes the shape [1, 3, 1, 1]");
  EXPECT_THAT(ListRefusal({{.op = "ReduceL2",
                            .inputs = {"spread"},
                            .outputs = {"length"},
                            .attributes = {{"axes", std::vector<int64_t>{-1}}}},
                           {.op = "Div", .inputs = {"spread", "length"}, .outputs = {"y"}}}),
              takes);
  EXPECT_THAT(ListRefusal({{.op = "LpNormalization", .inputs = {"spread"}, .outputs = {"y"}}}),
              takes);
  EXPECT_THAT(ListRefusal({{.op = "MatMul", .inputs = {"spread", "weight"}, .outputs = {"y"}}},
                          {{"weight", Floats({3, 1}, {1, 2, 3})}}),
              takes);
}

TEST(GraphListsTest, TellsTheShapeOfASpreadList) {
  // Four extents: the last of them is 1.
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const GraphNetwork read,
      DescribeGraph(ListModel({{.op = "Shape", .inputs = {"spread"}, .outputs = {"shape"}},
                               {.op = "Reshape", .inputs = {"list", "shape"}, .outputs = {"again"}},
                               {.op = "Mul", .inputs = {"x", "again"}, .outputs = {"y"}}})));
  EXPECT_EQ(read.description.outputs, 45);
}

// As PyTorch writes squeeze(3).squeeze(2).
TEST(GraphListsTest, SqueezesOneExtentAfterTheOther) {
  const auto squeezed = [](const std::vector<int64_t>& first, const std::vector<int64_t>& second) {
    return ListModel(
        {{.op = "Squeeze", .inputs = {"mean", "a"}, .outputs = {"one"}},
         {.op = "Squeeze", .inputs = {"one", "b"}, .outputs = {"none"}},
         {.op = "MatMul", .inputs = {"none", "weight"}, .outputs = {"y"}}},
        {{"a", Numbers(first)}, {"b", Numbers(second)}, {"weight", Floats({3, 1}, {1, 2, 3})}});
  };
  EXPECT_THAT(DescribeGraph(squeezed({3}, {2})), IsOk());
  EXPECT_THAT(DescribeGraph(squeezed({-1}, {-1})), IsOk());
  EXPECT_THAT(MessageOf(DescribeGraph(squeezed({2, 3}, {0})).status()), HasSubstr("squeezes"));
  EXPECT_THAT(MessageOf(DescribeGraph(squeezed({3}, {3})).status()), HasSubstr("squeezes"));
}

TEST(GraphListsTest, ExtentsComeOnlyBehindTheChannels) {
  for (const std::vector<int64_t>& places :
       {std::vector<int64_t>{0}, std::vector<int64_t>{1, 2}, std::vector<int64_t>{2, 3, 4}}) {
    EXPECT_THAT(ListRefusal({{.op = "Unsqueeze", .inputs = {"list", "other"}, .outputs = {"y"}}},
                            {{"other", Numbers(places)}}),
                HasSubstr("elsewhere than behind the channels"));
  }
}

}  // namespace
}  // namespace facegate
