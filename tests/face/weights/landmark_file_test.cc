#include "face/weights/landmark_file.h"

#include <gmock/gmock.h>

#include <cstring>
#include <filesystem>
#include <limits>

#include "face/base/file.h"
#include "face/weights/quality_file.h"
#include "face/weights/safetensors.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

LandmarkWeights SampleLandmarks() {
  LandmarkWeights weights;
  weights.tensors["a.weight"] = {.shape = {2, 3}, .values = {1, -2, 0.5F, 0.25F, 1000, 0}};
  weights.tensors["b"] = {.shape = {1}, .values = {0.1F}};
  return weights;
}

class LandmarkFileTest : public testing::Test {
 protected:
  std::string path() const { return dir_.File("landmarks.safetensors"); }
  std::string Written() {
    EXPECT_THAT(WriteLandmarkWeights(path(), SampleLandmarks(), {{"training_data", "noise"}}),
                IsOk());
    return *ReadFile(path(), 1 << 20);
  }
  // The error of a file with these bytes.
  std::string ErrorOf(const std::string& bytes) {
    EXPECT_THAT(WriteFileAtomically(path(), bytes), IsOk());
    const auto weights = ReadLandmarkWeights(path());
    EXPECT_THAT(weights, StatusIs(StatusCode::kInvalidArgument));
    EXPECT_THAT(std::string(MessageOf(weights.status())), HasSubstr("landmarks.safetensors"));
    return std::string(MessageOf(weights.status()));
  }
  std::string ErrorOfTensor(const Tensor& tensor) {
    Safetensors file;
    file.metadata["kind"] = "facegate-landmarks-1";
    file.tensors["x"] = tensor;
    return ErrorOf(SerializeSafetensors(file));
  }

  const TempDir dir_;
};

TEST_F(LandmarkFileTest, ReadsBackWhatItWroteInSixteenBits) {
  const std::string bytes = Written();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const LandmarkWeights read, ReadLandmarkWeights(path()));
  ASSERT_EQ(read.tensors.size(), 2U);
  EXPECT_EQ(read.tensors.at("a.weight").shape, (std::vector<int>{2, 3}));
  EXPECT_EQ(read.tensors.at("a.weight").values, SampleLandmarks().tensors["a.weight"].values);
  EXPECT_NEAR(read.tensors.at("b").values[0], 0.1, 1e-4);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const LandmarkWeights rounded, RoundedAsInFile(SampleLandmarks()));
  EXPECT_EQ(read.tensors.at("b").values, rounded.tensors.at("b").values);
  EXPECT_THAT(read.digest, testing::MatchesRegex("[0-9a-f]{12}"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Safetensors file, ParseSafetensors(bytes));
  EXPECT_EQ(file.metadata.at("training_data"), "noise");
}

TEST_F(LandmarkFileTest, ReadsNumbersOfThirtyTwoBits) {
  Safetensors file;
  file.metadata["kind"] = "facegate-landmarks-1";
  const float number = 0.1F;
  std::string bytes(sizeof(number), '\0');
  std::memcpy(bytes.data(), &number, sizeof(number));
  file.tensors["x"] = {.dtype = DType::kF32, .shape = {1}, .bytes = bytes};
  ASSERT_THAT(WriteFileAtomically(path(), SerializeSafetensors(file)), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const LandmarkWeights read, ReadLandmarkWeights(path()));
  EXPECT_EQ(read.tensors.at("x").values[0], number);
}

TEST_F(LandmarkFileTest, RefusesEveryTruncation) {
  const std::string bytes = Written();
  for (size_t length = 0; length < bytes.size(); length += 5) {
    ErrorOf(bytes.substr(0, length));
  }
}

TEST_F(LandmarkFileTest, ReadsOrRefusesEveryFlippedBit) {
  const std::string bytes = Written();
  for (size_t i = 0; i < 8 * bytes.size(); i += 29) {
    std::string changed = bytes;
    changed[i / 8] = static_cast<char>(changed[i / 8] ^ (1 << i % 8));
    ASSERT_THAT(WriteFileAtomically(path(), changed), IsOk());
    const auto weights = ReadLandmarkWeights(path());
    if (!weights.ok()) {
      ASSERT_THAT(weights, StatusIs(StatusCode::kInvalidArgument)) << "bit " << i;
    }
  }
}

TEST_F(LandmarkFileTest, RefusesOtherFilesTypesAndNumbers) {
  EXPECT_THAT(ErrorOf(SerializeSafetensors({})), HasSubstr("no landmark network"));
  EXPECT_THAT(ErrorOf(std::string(5 << 20, 'x')), HasSubstr("bytes"));
  EXPECT_THAT(ErrorOfTensor({.dtype = DType::kI32, .shape = {1}, .bytes = "\1\2\3\4"}),
              HasSubstr("I32"));
  EXPECT_THAT(ErrorOfTensor({.dtype = DType::kF16, .shape = {1}, .bytes = {"\x00\x7c", 2}}),
              HasSubstr("not finite"));
  EXPECT_THAT(ErrorOfTensor({.dtype = DType::kF16, .shape = {0, 1LL << 40}, .bytes = {}}),
              HasSubstr("shape"));
  std::filesystem::remove(path());
  EXPECT_THAT(ReadLandmarkWeights(path()), StatusIs(StatusCode::kNotFound));
}

TEST_F(LandmarkFileTest, IsNotTakenForAQualityNetwork) {
  Written();
  const auto weights = ReadQualityWeights(path());
  EXPECT_THAT(weights, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(weights.status())), HasSubstr("fit-quality"));
  ASSERT_THAT(WriteQualityWeights(path(), SampleLandmarks(), {}), IsOk());
  EXPECT_THAT(ReadQualityWeights(path()), IsOk());
  EXPECT_THAT(ReadLandmarkWeights(path()), StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(LandmarkFileTest, WritesNothingThatSixteenBitsDoNotHold) {
  LandmarkWeights weights = SampleLandmarks();
  weights.tensors["b"].values[0] = 1e6F;
  EXPECT_THAT(WriteLandmarkWeights(path(), weights, {}), StatusIs(StatusCode::kInvalidArgument));
  weights.tensors["b"] = {.shape = {2}, .values = {1}};
  EXPECT_THAT(WriteLandmarkWeights(path(), weights, {}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_FALSE(std::filesystem::exists(path()));
}

}  // namespace
}  // namespace facegate
