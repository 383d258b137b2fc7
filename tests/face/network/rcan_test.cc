#include "face/network/rcan.h"

#include <gmock/gmock.h>

#include <cstring>
#include <string>
#include <string_view>
#include <vector>

#include "face/network/description_check.h"
#include "face/network/random_weights.h"
#include "face/network/rcan_file.h"
#include "face/network/shape_map.h"
#include "face/network/tensor_list.h"
#include "face/weights/torch_pickle_writer.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using network::RcanNaming;
using network::RcanShape;
using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr RcanShape kTiny{.groups = 2, .blocks = 3, .features = 8, .reduction = 4, .scale = 4};

// The tensors of a network as a file of that naming has them, after a prefix.
TensorMap InFile(const RcanShape& shape, RcanNaming naming, std::string_view prefix = "") {
  TensorMap tensors;
  for (auto& [name, tensor] : RandomWeights(network::Rcan(shape), 1)) {
    tensors[std::string(prefix) + network::RcanTensorName(name, shape, naming)] = tensor;
  }
  return tensors;
}

// Counted with the original modules in PyTorch.
TEST(RcanTest, HasTheTensorsOfTheOriginals) {
  constexpr int64_t kMeans = 2 * (3 * 3 + 3);
  const std::pair<int64_t, int64_t> counts[] = {{2, 15'444'643}, {4, 15'592'355}, {8, 15'740'067}};
  for (const auto& [scale, parameters] : counts) {
    RcanShape shape{.scale = scale};
    EXPECT_EQ(network::CountParameters(network::TensorsOf(network::Rcan(shape))), parameters);
    shape.means = true;
    EXPECT_EQ(network::CountParameters(network::TensorsOf(network::Rcan(shape))),
              parameters + kMeans);
  }
}

TEST(RcanTest, CallsTensorsAsBothOriginalsDo) {
  const RcanShape shape;
  const ShapeMap shapes = ShapesOf(network::Rcan(shape));
  const std::vector<int64_t> squeeze = {4, 64, 1, 1};
  EXPECT_EQ(shapes.size(), 1630u);
  EXPECT_EQ(shapes.at("body.9.body.19.body.3.conv_du.0.weight"), squeeze);
  const auto plain = [&](std::string_view name) {
    EXPECT_TRUE(shapes.contains(name)) << name;
    return network::RcanTensorName(name, shape, RcanNaming::kPlain);
  };
  EXPECT_EQ(plain("head.0.weight"), "sf.weight");
  EXPECT_EQ(plain("body.9.body.19.body.3.conv_du.2.bias"),
            "rgs.9.module.19.module.3.module.3.bias");
  EXPECT_EQ(plain("body.9.body.19.body.2.weight"), "rgs.9.module.19.module.2.weight");
  EXPECT_EQ(plain("body.9.body.20.weight"), "rgs.9.module.20.weight");
  EXPECT_EQ(plain("body.10.bias"), "conv1.bias");
  EXPECT_EQ(plain("tail.0.2.weight"), "upscale.2.weight");
  EXPECT_EQ(plain("tail.1.weight"), "conv2.weight");
}

TEST(RcanTest, GivesAPictureThatIsSoManyTimesLarger) {
  for (const int64_t scale : {2, 3, 4, 8}) {
    const network::Description described =
        network::Rcan({.groups = 1, .blocks = 1, .features = 4, .reduction = 2, .scale = scale});
    EXPECT_THAT(network::CheckDescription(described), IsOk());
    EXPECT_EQ(described.outputs, 3 * 28 * 28 * scale * scale);
  }
}

TEST(RcanTest, IsFoundByNamesAndShapesUnderAnyPrefix) {
  for (const int64_t scale : {2, 3, 4, 8}) {
    for (const RcanNaming naming : {RcanNaming::kOriginal, RcanNaming::kPlain}) {
      RcanShape shape = kTiny;
      shape.scale = scale;
      shape.means = naming == RcanNaming::kOriginal;
      TensorMap tensors = InFile(shape, naming, "module.");
      tensors["other"] = {.dtype = DType::kF32, .shape = {1}, .bytes = std::string(4, '\0')};
      FACEGATE_ASSERT_OK_AND_ASSIGN(const FoundRcan found, TakeRcan(tensors));
      EXPECT_EQ(found.shape, shape);
      EXPECT_EQ(found.tensors, RandomWeights(network::Rcan(shape), 1));
      EXPECT_THAT(found.left, ElementsAre("other"));
    }
  }
}

TEST(RcanTest, IsFoundInAFileOfTorchSave) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string bytes,
                                SerializeTorchPickle(InFile(kTiny, RcanNaming::kPlain)));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FoundRcan found, ParseRcan(bytes));
  EXPECT_EQ(found.tensors, RandomWeights(network::Rcan(kTiny), 1));
}

TEST(RcanTest, WhatIsMissingOrTooMuchIsRefused) {
  TensorMap missing = InFile(kTiny, RcanNaming::kOriginal);
  missing.erase("tail.1.bias");
  EXPECT_THAT(TakeRcan(missing).status().ToString(), HasSubstr("\"tail.1.bias\" is missing"));
  // The second group is longer than the first.
  TensorMap longer = InFile(kTiny, RcanNaming::kPlain);
  longer["rgs.1.module.4.weight"] = longer["conv1.weight"];
  EXPECT_THAT(TakeRcan(longer).status().ToString(), HasSubstr("is unexpected"));
  TensorMap twice = InFile(kTiny, RcanNaming::kPlain, "a.");
  twice.merge(InFile(kTiny, RcanNaming::kPlain, "b."));
  EXPECT_THAT(TakeRcan(twice).status().ToString(), HasSubstr("2 super-resolution networks"));
  TensorMap five = InFile(kTiny, RcanNaming::kOriginal);
  five["tail.0.0.weight"].shape[0] = 5 * kTiny.features;
  EXPECT_THAT(TakeRcan(five).status().ToString(), HasSubstr("2, 3, 4 or 8"));
}

TEST(RcanTest, OtherNetworksAreRefused) {
  TensorMap backbone = RandomWeights("mobilefacenet-128", 1).value();
  EXPECT_THAT(TakeRcan(backbone).status().ToString(), HasSubstr("no super-resolution network"));
}

TEST(RcanTest, TheMeanColourSaysHowPixelsAreCounted) {
  FoundRcan found{.shape = kTiny, .tensors = {}, .left = {}};
  EXPECT_EQ(LargestPixelOf(found), 1.0);
  const auto set = [&](float mean) {
    std::string bytes(3 * sizeof(float), '\0');
    std::memcpy(bytes.data() + sizeof(float), &mean, sizeof(mean));
    found.tensors["sub_mean.bias"] = {.dtype = DType::kF32, .shape = {3}, .bytes = bytes};
  };
  set(-0.4371F);
  EXPECT_EQ(LargestPixelOf(found), 1.0);
  set(-0.4371F * 255.0F);
  EXPECT_EQ(LargestPixelOf(found), 255.0);
}

// -0.4375 and -112 as other types of floats have them.
TEST(RcanTest, TheMeanColourIsReadInEachTypeOfFloats) {
  FoundRcan found{.shape = kTiny, .tensors = {}, .left = {}};
  const auto largest = [&](DType dtype, auto bits) {
    std::string bytes(3 * sizeof(bits), '\0');
    std::memcpy(bytes.data() + sizeof(bits), &bits, sizeof(bits));
    found.tensors["sub_mean.bias"] = {.dtype = dtype, .shape = {3}, .bytes = bytes};
    return LargestPixelOf(found);
  };
  EXPECT_EQ(largest(DType::kF16, uint16_t{0xB700}), 1.0);
  EXPECT_EQ(largest(DType::kF16, uint16_t{0xD700}), 255.0);
  EXPECT_EQ(largest(DType::kBF16, uint16_t{0xBEE0}), 1.0);
  EXPECT_EQ(largest(DType::kBF16, uint16_t{0xC2E0}), 255.0);
  EXPECT_EQ(largest(DType::kF64, -0.4375), 1.0);
  EXPECT_EQ(largest(DType::kF64, -112.0), 255.0);
}

}  // namespace
}  // namespace facegate
