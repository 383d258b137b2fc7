// What a graph computes of constants, and how much of it.
#include <gmock/gmock.h>

#include <cstdint>
#include <limits>
#include <string>
#include <utility>
#include <vector>

#include "face/onnx/graph_reader.h"
#include "tests/face/onnx/graph_models.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

TEST(GraphConstantsTest, FollowsTheShapeThatPyTorchComputes) {
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

// The shape of a Reshape that is computed by that operator of two lists of numbers.
std::string FoldingRefusal(const std::string& op, const std::vector<int64_t>& one,
                           const std::vector<int64_t>& other) {
  return RefusalOf({{.op = op, .inputs = {"a", "b"}, .outputs = {"shape"}},
                    {.op = "Reshape", .inputs = {"x", "shape"}, .outputs = {"v"}}},
                   {{"a", Numbers(one)}, {"b", Numbers(other)}});
}

TEST(GraphConstantsTest, RefusesWhatConstantsCannotBeComputedTo) {
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
  EXPECT_THAT(FoldingRefusal("ConstantOfShape", std::vector<int64_t>(9, 1), {}), refused);
  // Bounds and axes are whole numbers.
  EXPECT_THAT(
      RefusalOf({{.op = "Slice", .inputs = {"list", "half", "end"}, .outputs = {"shape"}},
                 {.op = "Reshape", .inputs = {"x", "shape"}, .outputs = {"v"}}},
                {{"list", Numbers({1, 16})}, {"half", Floats({1}, {0.5F})}, {"end", Numbers({2})}}),
      refused);
  for (const char* op : {"Squeeze", "Unsqueeze"}) {
    EXPECT_THAT(RefusalOf({{.op = op, .inputs = {"list", "half"}, .outputs = {"shape"}},
                           {.op = "Reshape", .inputs = {"x", "shape"}, .outputs = {"v"}}},
                          {{"list", Numbers({-1})}, {"half", Floats({1}, {0.0F})}}),
                refused);
  }
}

TEST(GraphConstantsTest, RefusesAConstantOfManyExtents) {
  Tensor deep = Numbers({1});
  deep.shape.assign(9, 1);
  EXPECT_THAT(
      RefusalOf({{.op = "Reshape", .inputs = {"x", "deep"}, .outputs = {"v"}}}, {{"deep", deep}}),
      HasSubstr("9 extents, limit is 8"));
}

// As ONNX has it, a start in front of the first place is that place.
TEST(GraphConstantsTest, SlicesBackwardsFromAStartThatIsTooLow) {
  constexpr int64_t kLeast = std::numeric_limits<int64_t>::min();
  FACEGATE_ASSERT_OK_AND_ASSIGN(
      const GraphNetwork read,
      DescribeGraph(ModelOf(
          {{.op = "Slice", .inputs = {"list", "low", "low", "", "back"}, .outputs = {"first"}},
           {.op = "Concat", .inputs = {"first", "rest"}, .outputs = {"wanted"}},
           {.op = "Reshape", .inputs = {"x", "wanted"}, .outputs = {"y"}}},
          {{"list", Numbers({1, 2})},
           {"low", Numbers({kLeast})},
           {"back", Numbers({-1})},
           {"rest", Numbers({-1})}})));
  EXPECT_EQ(read.description.outputs, 16);
}

TEST(GraphConstantsTest, FollowsThePaddingThatPyTorchComputes) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork read, DescribeGraph(PaddingOfPyTorch()));
  const auto& pad = std::get<network::Pad>(LayersOf(read).front().kind);
  EXPECT_EQ(pad.borders, (network::Borders{.top = 3, .left = 1, .bottom = 4, .right = 2}));
}

TEST(GraphConstantsTest, LimitsTheCopiesOfWeights) {
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

TEST(GraphConstantsTest, LimitsTheCopiesOfWhatIsTakenFrom) {
  // Slices of no number of many.
  std::vector<OnnxNode> nodes;
  std::vector<std::string> parts;
  for (int i = 0; i < 30; ++i) {
    parts.push_back("part" + std::to_string(i));
    nodes.push_back({.op = "Slice", .inputs = {"many", "b", "b"}, .outputs = {parts.back()}});
  }
  nodes.push_back({.op = "Concat", .inputs = parts, .outputs = {"shape"}});
  nodes.push_back({.op = "Reshape", .inputs = {"x", "shape"}, .outputs = {"v"}});
  EXPECT_THAT(
      RefusalOf(nodes, {{"many", Numbers(std::vector<int64_t>(1'000'000))}, {"b", Numbers({0})}}),
      HasSubstr("more copies"));
}

TEST(GraphConstantsTest, LimitsTheSizeOfWhatIsJoined) {
  std::vector<OnnxNode> nodes;
  std::string value = "x";
  for (int i = 0; i < 70; ++i) {
    const std::string next = i == 69 ? "v" : "value" + std::to_string(i);
    nodes.push_back({.op = "Concat", .inputs = {value, value}, .outputs = {next}});
    value = next;
  }
  EXPECT_THAT(RefusalOf(nodes), HasSubstr("limit is 268435456 numbers"));
}

TEST(GraphConstantsTest, TellsThePartOfAShapeThatIsAskedFor) {
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

TEST(GraphConstantsTest, CastsOfConstantsChangeTheirType) {
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

}  // namespace
}  // namespace facegate
