#include "face/network/tensor_list.h"

#include <gmock/gmock.h>

#include <string>
#include <vector>

#include "face/network/architecture.h"
#include "face/network/shape_map.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

std::vector<std::string> NamesOf(const std::vector<network::TensorShape>& tensors) {
  std::vector<std::string> names;
  names.reserve(tensors.size());
  for (const network::TensorShape& tensor : tensors) names.push_back(tensor.name);
  return names;
}

ShapeMap Shapes(const std::string& architecture) {
  return ShapesOf(DescribeArchitecture(architecture).value());
}

TEST(TensorListTest, NamesTensorsInTheOrderOfTheStateDict) {
  const network::Layer unit{
      "unit", network::Residual{
                  .layers = {{"conv", network::Convolution{{.in = 8, .out = 16, .groups = 2}}}},
                  .shortcut = {{"side", network::Sequence(
                                            {network::Subsample{2}, network::BatchNorm{16}})}}}};
  const std::vector<network::TensorShape> tensors = network::TensorsOf(unit);
  EXPECT_THAT(NamesOf(tensors),
              ElementsAre("unit.conv.weight", "unit.side.1.weight", "unit.side.1.bias",
                          "unit.side.1.running_mean", "unit.side.1.running_var",
                          "unit.side.1.num_batches_tracked"));
  EXPECT_THAT(tensors.front().shape, ElementsAre(16, 4, 1, 1));
  EXPECT_EQ(network::CountParameters(tensors), 16 * 4 + 16 + 16);
}

TEST(TensorListTest, CountsNoBiasWhereThereIsNone) {
  EXPECT_THAT(NamesOf(network::TensorsOf({"fc", network::Linear{.in = 3, .out = 2}})),
              ElementsAre("fc.weight"));
  EXPECT_THAT(NamesOf(network::TensorsOf({"fc", network::Linear{3, 2, true}})),
              ElementsAre("fc.weight", "fc.bias"));
}

TEST(TensorListTest, TensorsThatAreCalledAsTheirLayersComeFirst) {
  const network::Chain chain{{{"norm", network::LayerNorm{4}},
                              {"attn", network::SelfAttention{.channels = 4, .bias = true}},
                              {"place", network::PositionEmbedding{.count = 6, .channels = 4}},
                              {"mask", network::MaskToken{4}}}};
  const std::vector<network::TensorShape> tensors = network::TensorsOf({"net", chain});
  EXPECT_THAT(NamesOf(tensors),
              ElementsAre("net.place", "net.mask", "net.norm.weight", "net.norm.bias",
                          "net.attn.qkv.weight", "net.attn.qkv.bias", "net.attn.proj.weight",
                          "net.attn.proj.bias"));
  EXPECT_THAT(tensors[0].shape, ElementsAre(1, 6, 4));
  EXPECT_THAT(tensors[1].shape, ElementsAre(1, 1, 4));
  EXPECT_THAT(tensors[4].shape, ElementsAre(12, 4));
}

TEST(TensorListTest, NamesAreThoseOfTheOriginals) {
  const ShapeMap mbf128 = Shapes("mobilefacenet-128");
  EXPECT_TRUE(mbf128.contains("conv_4.model.5.conv_dw.bn.running_var"));
  EXPECT_TRUE(mbf128.contains("GDC_dw.weight"));
  EXPECT_EQ(mbf128.size(), 333);
  const ShapeMap mbf512 = Shapes("mobilefacenet-512");
  EXPECT_TRUE(mbf512.contains("layers.1.layers.0.weight"));
  EXPECT_TRUE(mbf512.contains("layers.5.layers.5.layers.1.layers.2.weight"));
  EXPECT_TRUE(mbf512.contains("conv_sep.layers.2.weight"));
  EXPECT_TRUE(mbf512.contains("features.layers.2.weight"));
  const ShapeMap iresnet = Shapes("iresnet-34");
  EXPECT_TRUE(iresnet.contains("layer1.0.downsample.1.running_mean"));
  EXPECT_TRUE(iresnet.contains("layer3.5.bn3.weight"));
  EXPECT_TRUE(iresnet.contains("fc.bias"));
  const ShapeMap irse = Shapes("irse-50");
  EXPECT_TRUE(irse.contains("body.3.shortcut_layer.0.weight"));
  EXPECT_FALSE(irse.contains("body.0.shortcut_layer.0.weight"));
  EXPECT_TRUE(irse.contains("body.23.res_layer.5.fc2.weight"));
  EXPECT_TRUE(irse.contains("output_layer.4.bias"));
  const ShapeMap vit = Shapes("vit-t");
  EXPECT_TRUE(vit.contains("pos_embed"));
  EXPECT_TRUE(vit.contains("mask_token"));
  EXPECT_TRUE(vit.contains("blocks.11.attn.proj.bias"));
  EXPECT_FALSE(vit.contains("blocks.11.attn.qkv.bias"));
  EXPECT_TRUE(vit.contains("feature.3.running_var"));
  EXPECT_EQ(vit.size(), 150);
}

}  // namespace
}  // namespace facegate
