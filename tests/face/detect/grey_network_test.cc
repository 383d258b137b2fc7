#include "face/detect/grey_network.h"

#include <gmock/gmock.h>

#include <opencv2/core.hpp>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

// The network makes one number of four pixels.
network::Description SumOfPixels() {
  return {.name = "sum",
          .input = {.channels = 1, .height = 2, .width = 2},
          .outputs = 1,
          .layers = {{"flatten", network::Flatten{}}, {"sum", network::Linear{4, 1, true}}},
          .more = {}};
}

NetworkWeights WeightsOfSum() {
  return {.tensors = {{"sum.weight", {.shape = {1, 4}, .values = {1, 10, 100, 1000}}},
                      {"sum.bias", {.shape = {1}, .values = {0.5F}}}},
          .digest = ""};
}

TEST(GreyNetworkTest, ComputesWhatTheDescriptionSays) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto net, GreyNetwork::Create(SumOfPixels(), WeightsOfSum()));
  const cv::Mat input = (cv::Mat_<float>(2, 2) << 1, 2, 3, 4);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::vector<float> outputs, net->Run(input));
  EXPECT_THAT(outputs, ElementsAre(4321.5F));
}

TEST(GreyNetworkTest, RefusesALayerThatGreyNetworksDoNotHave) {
  network::Description description = SumOfPixels();
  description.layers.push_back({"thinned", network::Dropout{0.5}});
  const auto net = GreyNetwork::Create(description, WeightsOfSum());
  EXPECT_THAT(net, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(net.status())), HasSubstr("thinned"));
}

}  // namespace
}  // namespace facegate
