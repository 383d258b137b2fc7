#include "face/torch/cuda/batch_sizes.h"

#include <gmock/gmock.h>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

const Status kFull(StatusCode::kResourceExhausted, "out of memory");

TEST(BatchSizesTest, EndWithTheLargestThatIsAskedFor) {
  EXPECT_THAT(BatchSizesUpTo(1), ElementsAre(1));
  EXPECT_THAT(BatchSizesUpTo(10), ElementsAre(1, 2, 4, 8, 10));
  EXPECT_EQ(BatchSizesUpTo(256).back(), 256);
}

TEST(BatchSizesTest, ABatchThatDoesNotFitEndsTheRecordingAndNotTheStart) {
  ::testing::internal::CaptureStderr();
  const auto largest =
      RecordWhatFits({1, 2, 4, 8}, [](int size) { return size > 2 ? kFull : OkStatus(); });
  EXPECT_THAT(::testing::internal::GetCapturedStderr(),
              ::testing::HasSubstr("batches of up to 2 faces, not of 8"));
  EXPECT_EQ(largest.value(), 2);
}

TEST(BatchSizesTest, ACardThatHoldsNoFaceIsAnError) {
  EXPECT_THAT(RecordWhatFits({1, 2}, [](int) { return kFull; }),
              StatusIs(StatusCode::kResourceExhausted));
}

TEST(BatchSizesTest, OtherErrorsEndTheStart) {
  EXPECT_THAT(
      RecordWhatFits({1, 2}, [](int size) { return size == 2 ? Internal("x") : OkStatus(); }),
      StatusIs(StatusCode::kInternal));
}

}  // namespace
}  // namespace facegate
