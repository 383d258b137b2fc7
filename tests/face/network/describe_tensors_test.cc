#include "face/network/describe_tensors.h"

#include <gmock/gmock.h>

#include <string>
#include <utility>

#include "face/network/backbone_group.h"
#include "face/network/iresnet.h"
#include "face/network/irse.h"
#include "face/network/mobilefacenet.h"
#include "face/network/resnet.h"
#include "face/network/resnet_face.h"
#include "face/network/shape_map.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using network::DescribeHints;
using network::Description;
using network::IResNet;
using network::MobileFaceNetActivation;
using network::MobileFaceNetNaming;
using network::MobileFaceNetShape;
using network::ResNetFace;
using ::testing::AllOf;
using ::testing::Contains;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::Not;

// The shapes of a checkpoint: the network under a prefix, and a head.
StateDictShapes Checkpoint(const Description& description, const std::string& prefix) {
  StateDictShapes dict{.path = "state_dict", .tensors = {}};
  for (auto& [name, shape] : ShapesOf(description)) {
    dict.tensors[prefix + name] = Tensor{.dtype = DType::kF32, .shape = shape, .bytes = {}};
  }
  dict.tensors["margin.kernel"] = Tensor{.dtype = DType::kF32, .shape = {512, 100}, .bytes = {}};
  return dict;
}

StatusOr<BackboneGroup> Found(const Description& description, const DescribeHints& hints = {}) {
  return FindBackbone({Checkpoint(description, "net.")}, {.hints = hints});
}

void ExpectFound(const Description& description, const DescribeHints& hints = {}) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const BackboneGroup group, Found(description, hints));
  EXPECT_EQ(ShapesOf(group.network), ShapesOf(description));
  EXPECT_EQ(group.network.input, description.input);
  EXPECT_EQ(group.network.outputs, description.outputs);
  EXPECT_EQ(group.prefix, "net.");
  EXPECT_THAT(group.left, ElementsAre("margin.kernel"));
}

MobileFaceNetShape SmallMobileFaceNet(MobileFaceNetNaming naming) {
  MobileFaceNetShape shape;
  shape.naming = naming;
  shape.stem = 16;
  shape.first_groups = 8;
  shape.stages = {{{16, 32, 2, 24}, {24, 40, 3, 48}, {32, 64, 1, 64}}};
  shape.last = 96;
  shape.outputs = 64;
  return shape;
}

TEST(DescribeTensorsTest, FindsMobileFaceNetsOfOtherSizesInEachNaming) {
  for (const auto naming : {MobileFaceNetNaming::kBubbliiiing, MobileFaceNetNaming::kArcFaceTorch,
                            MobileFaceNetNaming::kTreB1eN}) {
    MobileFaceNetShape shape = SmallMobileFaceNet(naming);
    ExpectFound(MobileFaceNet(shape));
    shape.input = {.channels = 1, .height = 112, .width = 96};
    shape.last_kernel = {.height = 7, .width = 6};
    shape.first_repeats = naming == MobileFaceNetNaming::kArcFaceTorch ? 2 : 0;
    ExpectFound(MobileFaceNet(shape));
  }
}

TEST(DescribeTensorsTest, TakesRelu6WhereThereAreNoSlopesAndSaysSo) {
  MobileFaceNetShape shape = SmallMobileFaceNet(MobileFaceNetNaming::kBubbliiiing);
  shape.activation = MobileFaceNetActivation::kRelu6;
  const Description relu6 = MobileFaceNet(shape);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const BackboneGroup group, Found(relu6));
  EXPECT_TRUE(std::holds_alternative<network::Clip>(group.network.layers[10].kind));
  EXPECT_THAT(group.remarks, ElementsAre(HasSubstr("--activation relu")));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const BackboneGroup relu,
                                Found(relu6, {.activation = network::Activation::kRelu}));
  EXPECT_TRUE(std::holds_alternative<network::Relu>(relu.network.layers[10].kind));
  EXPECT_THAT(relu.remarks, IsEmpty());
}

TEST(DescribeTensorsTest, FindsResidualNetworksOfOtherSizes) {
  ExpectFound(IResNet({.input = {.channels = 1, .height = 96, .width = 80},
                       .stem = 8,
                       .units = {1, 2, 3, 1},
                       .widths = {8, 16, 24, 32},
                       .outputs = 20},
                      0.0));
  ExpectFound(ResNetFace({.input = {.channels = 3, .height = 112, .width = 112},
                          .stem = 8,
                          .units = {1, 1, 2, 1},
                          .widths = {8, 16, 24, 32},
                          .reduction = 4,
                          .outputs = 20},
                         0.0));
}

TEST(DescribeTensorsTest, FindsTheUnitsOfAnIrBody) {
  for (const auto unit :
       {network::IrUnit::kPlain, network::IrUnit::kNormed, network::IrUnit::kBottleneck}) {
    for (const int64_t reduction : {0, 8}) {
      network::IrShape shape;
      shape.input = {.channels = 3, .height = 128, .width = 128};
      shape.stem = 8;
      shape.stages = {{2, 8}, {1, 16}, {3, 24}, {1, 32}};
      shape.unit = unit;
      shape.reduction = reduction;
      shape.affine_output = unit == network::IrUnit::kPlain;
      shape.outputs = 20;
      ExpectFound(Ir(shape, 0.0));
    }
  }
}

TEST(DescribeTensorsTest, FindsResNetsWithEachHead) {
  for (const bool bottleneck : {false, true}) {
    for (const auto& one : {network::GreyResNet(18), network::PooledResNet(18),
                            network::PlaneResNet18(), network::MeanResNet50()}) {
      network::ResNetShape shape = one;
      shape.bottleneck = bottleneck;
      shape.units = {1, 2, 1, 1};
      shape.stem = 8;
      shape.widths = {8, 8, 16, 16};
      shape.outputs = 20;
      shape.input.height = shape.input.width = 160;
      ExpectFound(ResNet(shape, 0.0), {.input = network::Sides{160, 160}});
    }
  }
}

TEST(DescribeTensorsTest, SaysWhichStrideItTookWhereChannelsChange) {
  network::ResNetShape shape = network::GreyResNet(18);
  shape.stem = 8;
  shape.widths = {8, 16, 16, 16};
  FACEGATE_ASSERT_OK_AND_ASSIGN(const BackboneGroup certain, Found(ResNet(shape, 0.0)));
  EXPECT_THAT(certain.remarks, Not(Contains(HasSubstr("first stage"))));
  shape.widths[0] = 16;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const BackboneGroup guessed, Found(ResNet(shape, 0.0)));
  EXPECT_THAT(guessed.remarks, Contains(HasSubstr("first stage is taken to halve the map")));
}

TEST(DescribeTensorsTest, SaysWhichInputItTook) {
  const Description small = IResNet(
      {.input = {.channels = 3, .height = 90, .width = 90}, .units = {1, 1, 1, 1}, .outputs = 20},
      0.0);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const BackboneGroup group, Found(small));
  EXPECT_EQ(group.network.input.width, 96);
  EXPECT_THAT(group.remarks, ElementsAre(AllOf(HasSubstr("96x96"), HasSubstr("15 pixels"))));
  ExpectFound(small, {.input = network::Sides{90, 90}});
}

TEST(DescribeTensorsTest, NamesTheNearestFamilyAndWhatDiffers) {
  StateDictShapes dict = Checkpoint(
      IResNet({.units = {1, 1, 1, 1}, .widths = {8, 16, 24, 32}, .outputs = 20}, 0.0), "");
  dict.tensors.at("layer2.0.bn1.weight").shape = {9};
  const auto found = FindBackbone({dict}, {});
  EXPECT_THAT(found, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(found.status())),
              AllOf(HasSubstr("nearest is iresnet of 1, 1, 1, 1 units"),
                    HasSubstr("\"layer2.0.bn1.weight\" has the shape [9], expected [8]")));
}

// Shapes are a stranger's: extents of nothing and of too much make no network.
TEST(DescribeTensorsTest, MakesNoNetworkOfImpossibleShapes) {
  TensorMap tensors =
      Checkpoint(MobileFaceNet(SmallMobileFaceNet(MobileFaceNetNaming::kBubbliiiing)), "").tensors;
  tensors.erase("margin.kernel");
  for (auto& [name, tensor] : tensors) {
    if (tensor.shape.empty()) continue;
    for (const int64_t extent : {int64_t{0}, int64_t{1} << 40}) {
      const std::vector<int64_t> before = std::exchange(tensor.shape, {extent, extent, 3, 3});
      for (const auto& found : network::DescribeTensors(tensors, "", {})) {
        EXPECT_GT(CompareShapes(ShapesOf(found.network), tensors).count, 0U) << name;
      }
      tensor.shape = before;
    }
  }
}

}  // namespace
}  // namespace facegate
