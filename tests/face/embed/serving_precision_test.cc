#include "face/embed/serving_precision.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Precision kFp32 = Precision::kFp32;
constexpr Precision kTf32 = Precision::kTf32;
constexpr Precision kFp16 = Precision::kFp16;
constexpr Precision kBf16 = Precision::kBf16;

TEST(PrecisionsToTryTest, GoesOnToFinerOnes) {
  EXPECT_THAT(PrecisionsToTry("bf16", true).value(), ElementsAre(kBf16, kFp16, kTf32, kFp32));
  EXPECT_THAT(PrecisionsToTry("tf32", true).value(), ElementsAre(kTf32, kFp32));
  EXPECT_THAT(PrecisionsToTry("fp32", true).value(), ElementsAre(kFp32));
}

TEST(PrecisionsToTryTest, AutoBeginsWithFp16OnACard) {
  EXPECT_THAT(PrecisionsToTry("auto", true).value(), ElementsAre(kFp16, kTf32, kFp32));
}

TEST(PrecisionsToTryTest, TheCpuHasFp32Alone) {
  EXPECT_THAT(PrecisionsToTry("auto", false).value(), ElementsAre(kFp32));
  const auto refused = PrecisionsToTry("fp16", false);
  EXPECT_THAT(refused, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(refused.status())), HasSubstr("fp32 alone"));
}

TEST(PrecisionsToTryTest, RefusesOtherNames) {
  for (const char* name : {"", "int8", "FP16", "float"}) {
    EXPECT_THAT(PrecisionsToTry(name, true), StatusIs(StatusCode::kInvalidArgument)) << name;
  }
}

}  // namespace
}  // namespace facegate
