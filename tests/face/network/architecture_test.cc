#include "face/network/architecture.h"

#include <gmock/gmock.h>

#include <string>

#include "face/network/random_weights.h"
#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

TEST(ArchitectureTest, ParameterCountsAreThoseOfTheOriginals) {
  EXPECT_EQ(ParameterCount("mobilefacenet-128").value(), 1'003'136);
  EXPECT_EQ(ParameterCount("mobilefacenet-512").value(), 2'059'520);
  EXPECT_EQ(ParameterCount("iresnet-18").value(), 24'025'600);
  EXPECT_EQ(ParameterCount("iresnet-50").value(), 43'590'848);
  EXPECT_EQ(ParameterCount("iresnet-100").value(), 65'156'160);
  EXPECT_EQ(ParameterCount("irse-50").value(), 43'797'696);
}

TEST(ArchitectureTest, EachNameHasSizeAndParameters) {
  for (const std::string& name : ArchitectureNames()) {
    EXPECT_EQ(EmbeddingSizeOf(name).value(), name == "mobilefacenet-128" ? 128 : 512);
    EXPECT_GT(ParameterCount(name).value(), 1'000'000) << name;
  }
}

TEST(ArchitectureTest, UnknownNameIsRefusedWithTheKnownOnes) {
  const auto size = EmbeddingSizeOf("resnet");
  EXPECT_THAT(size, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(size.status())),
              AllOf(HasSubstr("\"resnet\""), HasSubstr("irse-50")));
  EXPECT_THAT(ParameterCount(""), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(RandomWeights("x\x1b[31m", 1), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(EmbeddingSizeOf("x\x1b[31m").status())),
              Not(HasSubstr("\x1b")));
}

TEST(DetectArchitectureTest, RecognisesEachArchitectureByNamesAndShapes) {
  for (const std::string name : {"mobilefacenet-128", "mobilefacenet-512", "iresnet-18"}) {
    EXPECT_EQ(DetectArchitecture(RandomWeights(name, 1).value()).value(), name);
  }
}

TEST(DetectArchitectureTest, BatchCountersMayBeMissing) {
  TensorMap tensors = RandomWeights("mobilefacenet-128", 1).value();
  std::erase_if(tensors,
                [](const auto& item) { return item.first.ends_with("num_batches_tracked"); });
  EXPECT_EQ(DetectArchitecture(tensors).value(), "mobilefacenet-128");
}

TEST(DetectArchitectureTest, NamesNearestArchitectureAndFirstDifferences) {
  TensorMap tensors = RandomWeights("mobilefacenet-128", 1).value();
  tensors["head.weight"] = tensors.at("last_bn.bias");
  tensors.at("sep.weight").shape = {512, 64, 1, 2};
  tensors.erase("GDC_bn.bias");
  const auto found = DetectArchitecture(tensors);
  EXPECT_THAT(found, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(found.status())),
              AllOf(HasSubstr("nearest is mobilefacenet-128"), HasSubstr("3 tensors differ"),
                    HasSubstr("\"head.weight\" is unexpected"),
                    HasSubstr("\"sep.weight\" has the shape [512, 64, 1, 2]"),
                    HasSubstr("\"GDC_bn.bias\" is missing")));
}

TEST(DetectArchitectureTest, RefusesEmptyStateDict) {
  EXPECT_THAT(DetectArchitecture({}), StatusIs(StatusCode::kInvalidArgument));
}

}  // namespace
}  // namespace facegate
