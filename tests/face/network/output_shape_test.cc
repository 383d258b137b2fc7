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

}  // namespace
}  // namespace facegate
