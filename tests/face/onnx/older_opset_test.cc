#include "face/onnx/older_opset.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>
#include <vector>

#include "face/network/census.h"
#include "face/onnx/graph_reader.h"
#include "tests/face/onnx/graph_models.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::Key;

const OnnxNode kClip{.op = "Clip", .inputs = {"x", "low", "high"}, .outputs = {"v"}};
const OnnxNode kFlat{.op = "Flatten", .inputs = {"v"}, .outputs = {"y"}};

OnnxModel ClipModel(std::vector<OnnxNode> nodes) {
  return ModelOf(std::move(nodes), {{"low", Floats({}, {0})},
                                    {"high", Floats({}, {6})},
                                    {"pads", Numbers({0, 0, 1, 1, 0, 0, 1, 1})}});
}

TEST(OlderOpsetTest, MakesLimitsAndPadsAttributes) {
  OnnxModel model = ClipModel({kClip,
                               {.op = "Pad", .inputs = {"v", "pads"}, .outputs = {"w"}},
                               {.op = "Flatten", .inputs = {"w"}, .outputs = {"y"}}});
  FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork before, DescribeGraph(model));
  WriteClipsForOpenCv(model);
  EXPECT_EQ(model.opsets.at(""), 10);
  EXPECT_THAT(model.nodes[0].inputs, ElementsAre("x"));
  EXPECT_THAT(model.nodes[0].attributes, ElementsAre(Key("max"), Key("min")));
  EXPECT_THAT(model.initializers, IsEmpty());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const GraphNetwork after, DescribeGraph(model));
  EXPECT_EQ(network::CensusOf(after.description), network::CensusOf(before.description));
}

TEST(OlderOpsetTest, LeavesWhatHasNoOlderForm) {
  const OnnxNode product{.op = "Gemm", .inputs = {"y", "weight"}, .outputs = {"z"}};
  for (const std::vector<OnnxNode>& nodes :
       {std::vector<OnnxNode>{{.op = "Relu", .inputs = {"x"}, .outputs = {"v"}}, kFlat},
        std::vector<OnnxNode>{kClip, kFlat, product},
        std::vector<OnnxNode>{{.op = "Clip", .inputs = {"x", "", "high"}, .outputs = {"v"}},
                              kFlat}}) {
    OnnxModel model = ClipModel(nodes);
    WriteClipsForOpenCv(model);
    EXPECT_EQ(model.opsets.at(""), 13);
    EXPECT_EQ(model.nodes.front().inputs, nodes.front().inputs);
  }
}

}  // namespace
}  // namespace facegate
