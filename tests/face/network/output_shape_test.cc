#include "face/network/output_shape.h"

#include <gmock/gmock.h>

#include <string>

#include "face/network/architecture.h"
#include "face/network/grey_networks.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using network::Extents;
using network::OutputOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

Extents OutputOf(const network::Description& description) {
  const auto& [channels, height, width] = description.input;
  return OutputOf(network::Chain{description.layers}, {channels, height, width})
      .value_or(Extents{});
}

TEST(OutputShapeTest, EachNetworkGivesAsManyNumbersAsItSays) {
  for (const std::string& name : ArchitectureNames()) {
    const network::Description description = DescribeArchitecture(name).value();
    EXPECT_THAT(OutputOf(description), ElementsAre(description.outputs)) << name;
  }
  EXPECT_THAT(OutputOf(DescribeLandmarkNetwork()), ElementsAre(kLandmarkOutputs));
  EXPECT_THAT(OutputOf(DescribeQualityNetwork()), ElementsAre(kQualityOutputs));
}

TEST(OutputShapeTest, ConvolutionsRoundDown) {
  const network::Convolution halving{{.in = 3, .out = 8, .kernel = 3, .stride = 2, .padding = 1}};
  EXPECT_EQ(OutputOf(halving, {3, 112, 97}).value(), (Extents{8, 56, 49}));
  EXPECT_EQ(OutputOf(network::Subsample{2}, {8, 7, 6}).value(), (Extents{8, 4, 3}));
}

TEST(OutputShapeTest, RefusesWhatALayerDoesNotTake) {
  const network::Convolution wide{{.in = 3, .out = 8, .kernel = 7}};
  EXPECT_THAT(OutputOf(wide, {3, 6, 9}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(OutputOf(wide, {1, 9, 9}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(OutputOf(network::Linear{12, 2}, {3, 2, 2}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(OutputOf(network::BatchNorm{4}, {3, 2, 2}), StatusIs(StatusCode::kInvalidArgument));
  const network::Residual uneven{.layers = {{"0", network::Subsample{2}}}, .shortcut = {}};
  EXPECT_THAT(OutputOf(uneven, {3, 4, 4}), StatusIs(StatusCode::kInvalidArgument));
}

TEST(OutputShapeTest, RefusesFieldsOutOfRange) {
  const network::Window nothing{.kernel = {0, 0}, .stride = {}, .dilation = {}, .padding = {}};
  EXPECT_THAT(OutputOf(network::AveragePool{.window = nothing}, {3, 4, 4}),
              StatusIs(StatusCode::kInvalidArgument));
  const network::Borders wide{.top = INT64_MAX, .left = 0, .bottom = 0, .right = 0};
  EXPECT_THAT(OutputOf(network::Pad{wide}, {3, 4, 4}), StatusIs(StatusCode::kInvalidArgument));
}

TEST(OutputShapeTest, AGateTakesMapsAlone) {
  const network::ChannelGate gate{.channels = 4, .reduction = 2};
  EXPECT_EQ(OutputOf(gate, {4, 2, 2}).value(), (Extents{4, 2, 2}));
  EXPECT_THAT(OutputOf(gate, {4}), StatusIs(StatusCode::kInvalidArgument));
}

TEST(OutputShapeTest, LimitsWhatTheCallsOfAGraphGive) {
  network::Graph doubling;
  for (size_t i = 0; i < 50; ++i) doubling.calls.push_back({network::Join::kConcat, {i, i}});
  EXPECT_THAT(MessageOf(OutputOf(doubling, {3, 4, 4}).status()),
              HasSubstr("limit is 268435456 numbers"));
  network::Graph repeated;
  for (int i = 0; i < 5000; ++i) repeated.calls.push_back({network::Join::kAdd, {0, 0}});
  EXPECT_THAT(MessageOf(OutputOf(repeated, {1, 1024, 1024}).status()), HasSubstr("numbers in all"));
}

}  // namespace
}  // namespace facegate
