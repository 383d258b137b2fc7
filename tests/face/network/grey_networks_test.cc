#include "face/network/grey_networks.h"

#include <gmock/gmock.h>

#include <vector>

#include "face/network/shape_map.h"
#include "face/network/tensor_list.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

TEST(GreyNetworksTest, HaveTheTensorsOfTheirFiles) {
  const ShapeMap landmarks = ShapesOf(DescribeLandmarkNetwork());
  EXPECT_EQ(landmarks.size(), 2 * (7 + 2) + 1);
  EXPECT_THAT(landmarks.at("convolution7.weight"), ElementsAre(48, 64, 3, 3));
  EXPECT_THAT(landmarks.at("hidden.weight"), ElementsAre(64, 48 * 6 * 6));
  EXPECT_THAT(landmarks.at("output.bias"), ElementsAre(11));
  EXPECT_THAT(landmarks.at(kBoxToFrame), ElementsAre(3));
  const ShapeMap quality = ShapesOf(DescribeQualityNetwork());
  EXPECT_EQ(quality.size(), 2 * (6 + 2));
  EXPECT_THAT(quality.at("convolution1.bias"), ElementsAre(12));
  EXPECT_THAT(quality.at("output.weight"), ElementsAre(3, 40));
}

TEST(GreyNetworksTest, ListTheTensorOfNoLayerLast) {
  const std::vector<network::TensorShape> tensors = network::TensorsOf(DescribeLandmarkNetwork());
  EXPECT_EQ(tensors.front().name, "convolution1.weight");
  EXPECT_EQ(tensors.back().name, kBoxToFrame);
}

}  // namespace
}  // namespace facegate
