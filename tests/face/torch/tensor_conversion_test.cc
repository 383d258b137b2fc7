#include "face/torch/tensor_conversion.h"

#include <gmock/gmock.h>

#include <cmath>
#include <limits>
#include <string>

#include "face/base/coding.h"
#include "face/network/random_weights.h"
#include "face/torch/backbone.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr char kArchitecture[] = "mobilefacenet-128";

Tensor FloatTensor(const std::vector<float>& values, std::vector<int64_t> shape) {
  Tensor tensor{.dtype = DType::kF32, .shape = std::move(shape), .bytes = {}};
  for (const float value : values) {
    AppendLittleEndian(tensor.bytes, std::bit_cast<uint32_t>(value));
  }
  return tensor;
}

class LoadWeightsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    tensors_ = RandomWeights(kArchitecture, 1).value();
    backbone_ = CreateBackbone(kArchitecture).value();
  }
  // Replaces the first value of a tensor.
  void Poison(const std::string& name, float value) {
    std::string bytes;
    AppendLittleEndian(bytes, std::bit_cast<uint32_t>(value));
    tensors_.at(name).bytes.replace(0, bytes.size(), bytes);
  }
  std::string Refusal() {
    const Status status = LoadWeights(tensors_, *backbone_);
    EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument));
    return std::string(MessageOf(status));
  }

  TensorMap tensors_;
  std::shared_ptr<Backbone> backbone_;
};

TEST_F(LoadWeightsTest, StateDictGivesBackWhatWasLoaded) {
  ASSERT_THAT(LoadWeights(tensors_, *backbone_), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TensorMap read, StateDict(*backbone_));
  EXPECT_TRUE(read == tensors_);
}

TEST_F(LoadWeightsTest, BatchCountersMayBeMissing) {
  std::erase_if(tensors_,
                [](const auto& item) { return item.first.ends_with("num_batches_tracked"); });
  ASSERT_THAT(LoadWeights(tensors_, *backbone_), IsOk());
  EXPECT_EQ(backbone_->named_buffers()["last_bn.num_batches_tracked"].item<int64_t>(), 0);
}

TEST_F(LoadWeightsTest, ConvertsHalfAndDoubleToFloat) {
  for (const auto type : {torch::kFloat16, torch::kFloat64}) {
    const torch::Tensor slopes = torch::full({64}, 0.25, type);
    tensors_["conv1.prelu.weight"] = FromTorch(slopes).value();
    ASSERT_THAT(LoadWeights(tensors_, *backbone_), IsOk());
    const torch::Tensor loaded = backbone_->named_parameters()["conv1.prelu.weight"];
    EXPECT_EQ(loaded.scalar_type(), torch::kFloat32);
    EXPECT_TRUE(torch::equal(loaded, torch::full({64}, 0.25f)));
  }
}

TEST_F(LoadWeightsTest, RefusesMissingTensorByName) {
  tensors_.erase("GDC_dw.weight");
  EXPECT_THAT(Refusal(), HasSubstr("\"GDC_dw.weight\" is missing"));
}

TEST_F(LoadWeightsTest, RefusesUnexpectedTensorByQuotedName) {
  tensors_["fc.\x1b[31mweight"] = FloatTensor({1.0f}, {1});
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("fc.\\x1b[31mweight"), HasSubstr("is unexpected")));
}

TEST_F(LoadWeightsTest, RefusesOtherShapeWithBothShapes) {
  tensors_["conv1.prelu.weight"] = FloatTensor(std::vector<float>(32, 0.25f), {32});
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("[32]"), HasSubstr("expected [64]")));
}

TEST_F(LoadWeightsTest, RefusesIntegersWhereNumbersAreExpected) {
  tensors_["conv1.prelu.weight"] = FromTorch(torch::ones({64}, torch::kInt32)).value();
  EXPECT_THAT(Refusal(), AllOf(HasSubstr("\"conv1.prelu.weight\""), HasSubstr("I32")));
}

TEST_F(LoadWeightsTest, RefusesValuesThatAreNotFinite) {
  Poison("conv_3.model.0.conv.conv.weight", std::numeric_limits<float>::quiet_NaN());
  EXPECT_THAT(Refusal(), HasSubstr("\"conv_3.model.0.conv.conv.weight\""));
}

TEST_F(LoadWeightsTest, RefusesNegativeVariance) {
  Poison("last_bn.running_var", -0.5f);
  EXPECT_THAT(Refusal(), HasSubstr("negative variance"));
}

TEST_F(LoadWeightsTest, RefusesBytesThatDoNotFitTheShape) {
  tensors_.at("last_bn.bias").bytes.pop_back();
  EXPECT_THAT(Refusal(), HasSubstr("511 bytes"));
}

TEST(TensorConversionTest, KeepsTypeShapeAndBytesBothWays) {
  for (const auto type :
       {torch::kBool, torch::kUInt8, torch::kInt8, torch::kInt16, torch::kInt32, torch::kInt64,
        torch::kFloat16, torch::kBFloat16, torch::kFloat32, torch::kFloat64}) {
    const torch::Tensor original = torch::arange(6).to(type).view({2, 1, 3});
    FACEGATE_ASSERT_OK_AND_ASSIGN(const Tensor stored, FromTorch(original));
    EXPECT_EQ(stored.shape, (std::vector<int64_t>{2, 1, 3}));
    FACEGATE_ASSERT_OK_AND_ASSIGN(const torch::Tensor restored, ToTorch(stored));
    EXPECT_TRUE(torch::equal(original, restored)) << DTypeName(stored.dtype);
    EXPECT_EQ(original.scalar_type(), restored.scalar_type());
  }
}

TEST(TensorConversionTest, StoresStridedTensorsInRowOrder) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Tensor stored,
                                FromTorch(torch::tensor({{1.f, 2.f}, {3.f, 4.f}}).t()));
  EXPECT_EQ(stored, FloatTensor({1, 3, 2, 4}, {2, 2}));
}

TEST(TensorConversionTest, EmptyTensorAndScalarPass) {
  EXPECT_THAT(ToTorch(FloatTensor({}, {0, 4})), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const torch::Tensor scalar, ToTorch(FloatTensor({2.5f}, {})));
  EXPECT_EQ(scalar.item<float>(), 2.5f);
}

TEST(TensorConversionTest, RefusesComplexNumbersAndImpossibleShapes) {
  EXPECT_THAT(FromTorch(torch::zeros({2}, torch::kComplexFloat)),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(ToTorch(FloatTensor({1.0f}, {-1})), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(ToTorch(FloatTensor({1.0f}, {int64_t{1} << 40, int64_t{1} << 40})),
              StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
