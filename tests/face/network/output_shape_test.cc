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

TEST(OutputShapeTest, AShuffleMakesPlacesOfChannels) {
  EXPECT_EQ(OutputOf(network::PixelShuffle{2}, {12, 5, 7}).value(), (Extents{3, 10, 14}));
  EXPECT_THAT(OutputOf(network::PixelShuffle{2}, {10, 5, 7}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(OutputOf(network::PixelShuffle{2}, {12}), StatusIs(StatusCode::kInvalidArgument));
}

TEST(OutputShapeTest, TokensHaveTheirChannelsLast) {
  const Extents tokens = {12, 8};
  EXPECT_EQ(OutputOf(network::Tokens{}, {8, 3, 4}).value(), tokens);
  EXPECT_EQ(OutputOf(network::PositionEmbedding{.count = 12, .channels = 8}, tokens).value(),
            tokens);
  EXPECT_EQ(OutputOf(network::LayerNorm{8}, tokens).value(), tokens);
  EXPECT_EQ(OutputOf(network::LayerNorm{8}, {8}).value(), Extents{8});
  EXPECT_EQ(OutputOf(network::SelfAttention{.channels = 8, .heads = 2}, tokens).value(), tokens);
  EXPECT_EQ(OutputOf(network::MaskToken{8}, tokens).value(), tokens);
  EXPECT_EQ(OutputOf(network::Linear{8, 5}, tokens).value(), (Extents{12, 5}));
  EXPECT_EQ(OutputOf(network::Flatten{}, tokens).value(), Extents{96});
}

TEST(OutputShapeTest, LayersThatGoByChannelsOfMapsTakeNoTokens) {
  const Extents tokens = {8, 8};
  for (const network::LayerKind& kind :
       {network::LayerKind(network::BatchNorm{8}), network::LayerKind(network::PRelu{8}),
        network::LayerKind(network::ChannelAffine{8}), network::LayerKind(network::Tokens{}),
        network::LayerKind(network::GlobalAverage{}),
        network::LayerKind(network::Convolution{{.in = 8, .out = 8}})}) {
    EXPECT_THAT(OutputOf(kind, tokens), StatusIs(StatusCode::kInvalidArgument));
  }
  EXPECT_THAT(network::OutputOfJoin(network::Join::kConcat, {tokens, tokens}),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST(OutputShapeTest, LayersOfTokensTakeNothingElse) {
  for (const network::LayerKind& kind :
       {network::LayerKind(network::PositionEmbedding{.count = 4, .channels = 8}),
        network::LayerKind(network::LayerNorm{8}),
        network::LayerKind(network::SelfAttention{.channels = 8}),
        network::LayerKind(network::DropTokens{}), network::LayerKind(network::MaskToken{8})}) {
    EXPECT_THAT(OutputOf(kind, {8, 2, 2}), StatusIs(StatusCode::kInvalidArgument));
    EXPECT_THAT(OutputOf(kind, {4}), StatusIs(StatusCode::kInvalidArgument));
  }
}

TEST(OutputShapeTest, LimitsTheLikenessesOfTokens) {
  EXPECT_THAT(MessageOf(OutputOf(network::SelfAttention{.channels = 8}, {1 << 20, 8}).status()),
              HasSubstr("limit is 268435456 numbers"));
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
