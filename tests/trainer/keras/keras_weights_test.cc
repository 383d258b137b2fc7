#include "trainer/keras/keras_weights.h"

#include <gmock/gmock.h>

#include <cstring>
#include <string>
#include <vector>

#include "face/network/architecture.h"
#include "face/network/shape_map.h"
#include "tests/support/h5_bytes.h"
#include "tests/support/status_matchers.h"
#include "trainer/keras/h5_file.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::SizeIs;

std::vector<float> Values(const Tensor& tensor) {
  std::vector<float> values(tensor.bytes.size() / sizeof(float));
  std::memcpy(values.data(), tensor.bytes.data(), tensor.bytes.size());
  return values;
}

TEST(H5FileTest, ReadsDatasetsInGroups) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap tensors,
                                ParseH5(H5Bytes({{"a/b/kernel:0", {2, 3}}, {"bias:0", {1}, {7}}})));
  ASSERT_THAT(tensors, SizeIs(2));
  EXPECT_THAT(tensors.at("a/b/kernel:0").shape, ElementsAre(2, 3));
  EXPECT_THAT(Values(tensors.at("a/b/kernel:0")), ElementsAre(0, 1, 2, 3, 4, 5));
  EXPECT_THAT(Values(tensors.at("bias:0")), ElementsAre(7));
}

TEST(H5FileTest, RefusesWhatIsCutOffOrNotPlain) {
  EXPECT_THAT(ParseH5("PK\x03\x04"), StatusIs(StatusCode::kInvalidArgument));
  const std::string file = H5Bytes({{"a/kernel:0", {64, 64}}});
  for (const size_t part : {1U, 3U, 7U}) {
    EXPECT_FALSE(ParseH5(file.substr(0, file.size() * part / 8)).ok()) << part;
  }
  const auto chunked = ParseH5(H5Bytes({{"a/kernel:0", {8}, {}, true}}));
  EXPECT_THAT(chunked, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(chunked.status())),
              AllOf(HasSubstr("\"/a/kernel:0\""), HasSubstr("one piece")));
}

// A flipped byte may change numbers and names; it must not bring the program down.
TEST(H5FileTest, SurvivesFlippedBytes) {
  const std::string file = H5Bytes({{"a/kernel:0", {2, 2}}, {"a/bias:0", {2}}});
  for (size_t i = 0; i < file.size(); i += 3) {
    std::string broken = file;
    broken[i] = static_cast<char>(broken[i] ^ 0x41);
    const auto tensors = ParseH5(broken);
    EXPECT_LE(tensors.ok() ? tensors->size() : 0U, 2U);
  }
}

TEST(KerasWeightsTest, TurnsKernelsAround) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap keras,
                                ParseH5(H5Bytes({{"n/bn_Conv1/gamma:0", {1}},
                                                 {"n/Conv1/kernel:0", {1, 2, 3, 2}},
                                                 {"n/d/depthwise_kernel:0", {1, 2, 3, 1}},
                                                 {"OutputLayer/batch_normalization_4/gamma:0", {2}},
                                                 {"OutputLayer/batch_normalization_5/gamma:0", {1}},
                                                 {"OutputLayer/dense_7/kernel:0", {6, 2}},
                                                 {"ArcHead/dense_8/kernel:0", {1, 9}}})));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap tensors, FromKeras(keras));
  const Tensor& convolution = tensors.at("mobilenetv2.Conv1.weight");
  EXPECT_THAT(convolution.shape, ElementsAre(2, 3, 1, 2));
  EXPECT_THAT(Values(convolution), ElementsAre(0, 6, 2, 8, 4, 10, 1, 7, 3, 9, 5, 11));
  const Tensor& depthwise = tensors.at("mobilenetv2.d.weight");
  EXPECT_THAT(depthwise.shape, ElementsAre(3, 1, 1, 2));
  EXPECT_THAT(Values(depthwise), ElementsAre(0, 3, 1, 4, 2, 5));
  // Three places of two channels: the rows of the kernel are (place, channel).
  const Tensor& dense = tensors.at("OutputLayer.dense.weight");
  EXPECT_THAT(dense.shape, ElementsAre(2, 6));
  EXPECT_THAT(Values(dense), ElementsAre(0, 4, 8, 2, 6, 10, 1, 5, 9, 3, 7, 11));
  EXPECT_TRUE(tensors.contains("OutputLayer.batch_normalization_1.weight"));
  EXPECT_TRUE(tensors.contains("ArcHead/dense_8/kernel:0"));
}

TEST(KerasWeightsTest, RefusesShapesThatDoNotFit) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap keras,
                                ParseH5(H5Bytes({{"c/kernel:0", {2, 2, 2}}})));
  EXPECT_THAT(std::string(MessageOf(FromKeras(keras).status())), HasSubstr("[2, 2, 2]"));
}

// Names of Keras Applications 2.4 and later, with the leaves that Keras gives them.
TEST(KerasWeightsTest, GivesTheTensorsOfTheDescribedNetworks) {
  for (const std::string name : {"keras-resnet-50", "keras-mobilenetv2"}) {
    const ShapeMap shapes = ShapesOf(DescribeArchitecture(name).value());
    TensorMap keras;
    for (const auto& [own, shape] : shapes) {
      if (IsBatchCounter(own)) continue;
      const size_t dot = own.rfind('.');
      std::string layer = own.substr(0, dot);
      const std::string leaf = own.substr(dot + 1);
      layer = layer.replace(layer.find('.'), 1, "/");
      const bool norm = shapes.contains(own.substr(0, dot) + ".running_mean");
      const bool depthwise = shape.size() == 4 && shape[1] == 1;
      Tensor tensor{.dtype = DType::kF32, .shape = shape, .bytes = {}};
      tensor.bytes.resize(static_cast<size_t>(tensor.element_count()) * sizeof(float));
      if (shape.size() == 2) tensor.shape = {shape[1], shape[0]};
      if (shape.size() == 4) tensor.shape = {shape[2], shape[3], shape[1], shape[0]};
      if (depthwise) tensor.shape = {shape[2], shape[3], shape[0], 1};
      const std::string of = leaf == "running_mean"  ? "moving_mean"
                             : leaf == "running_var" ? "moving_variance"
                             : leaf == "bias"        ? (norm ? "beta" : "bias")
                             : norm                  ? "gamma"
                             : depthwise             ? "depthwise_kernel"
                                                     : "kernel";
      keras[layer + "/" + of + ":0"] = std::move(tensor);
    }
    FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap tensors, FromKeras(std::move(keras)));
    EXPECT_EQ(CompareShapes(shapes, tensors).count, 0U) << name;
  }
}

}  // namespace
}  // namespace facegate
