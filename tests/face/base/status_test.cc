#include "face/base/status.h"

#include <gtest/gtest.h>

#include <set>
#include <string>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::Not;

TEST(StatusTest, RefusalCarriesReasonCodeAndMessage) {
  const Status status = Refuse(Reason::kNoFace, "no face in the picture");
  EXPECT_THAT(status, RefusedWith(Reason::kNoFace));
  EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_EQ(MessageOf(status), "no face in the picture");
}

TEST(StatusTest, EveryReasonHasItsOwnUpperCaseName) {
  std::set<std::string_view> names;
  for (int i = 0; i <= static_cast<int>(Reason::kInternal); ++i) {
    const std::string_view name = ReasonName(static_cast<Reason>(i));
    EXPECT_TRUE(names.insert(name).second) << name;
    EXPECT_EQ(name.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZ_"), std::string_view::npos);
    EXPECT_NE(CodeOf(static_cast<Reason>(i)), StatusCode::kOk);
  }
}

TEST(StatusTest, FieldPathsGrowFromTheInsideOut) {
  Status status = RefuseField("image", "is empty");
  status = AtField(AtField(status, "[2]"), "samples");
  EXPECT_EQ(FieldOf(status), "samples[2].image");
  EXPECT_THAT(status, RefusedWith(Reason::kInvalidField));
}

TEST(StatusTest, AnnotateKeepsReasonFieldAndRetry) {
  Status status = WithRetryAfter(AtField(Refuse(Reason::kQueueFull, "64 faces wait"), "probe"),
                                 std::chrono::milliseconds(250));
  status = Annotate(status, "embedding");
  EXPECT_EQ(MessageOf(status), "embedding: 64 faces wait");
  EXPECT_THAT(status, RefusedWith(Reason::kQueueFull));
  EXPECT_EQ(FieldOf(status), "probe");
  EXPECT_EQ(RetryAfterOf(status), std::chrono::milliseconds(250));
}

TEST(StatusTest, MetadataIsKeptWithWhatIsAddedLater) {
  Status status = WithMetadata(Refuse(Reason::kLowQuality, "too small"), "sharpness", "5/8");
  status = Annotate(AtField(WithMetadata(status, "head_yaw", "70/60"), "image"), "enrolling");
  EXPECT_EQ(MetadataOf(status),
            (std::map<std::string, std::string>{{"head_yaw", "70/60"}, {"sharpness", "5/8"}}));
  EXPECT_THAT(status, RefusedWith(Reason::kLowQuality));
  EXPECT_TRUE(MetadataOf(RefuseField("image", "is empty")).empty());
}

TEST(StatusTest, OkStaysOkThroughEveryDecoration) {
  EXPECT_THAT(Annotate(OkStatus(), "context"), IsOk());
  EXPECT_THAT(AtField(OkStatus(), "field"), IsOk());
  EXPECT_THAT(WithRetryAfter(OkStatus(), std::chrono::milliseconds(1)), IsOk());
  EXPECT_THAT(WithMetadata(OkStatus(), "key", "value"), IsOk());
}

TEST(StatusTest, ErrorsWithoutAReasonHaveNone) {
  EXPECT_EQ(ReasonOf(DataLoss("broken file")), std::nullopt);
  EXPECT_EQ(FieldOf(DataLoss("broken file")), "");
  EXPECT_EQ(RetryAfterOf(DataLoss("broken file")), std::nullopt);
}

StatusOr<int> Halve(int value) {
  if (value % 2 != 0) return InvalidArgument("odd");
  return value / 2;
}

StatusOr<int> Quarter(int value) {
  FACEGATE_ASSIGN_OR_RETURN(const int half, Halve(value));
  FACEGATE_RETURN_IF_ERROR(half < 0 ? InvalidArgument("negative") : OkStatus());
  return Halve(half);
}

TEST(StatusTest, MacrosReturnTheFirstError) {
  EXPECT_EQ(*Quarter(8), 2);
  EXPECT_THAT(Quarter(7), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(Quarter(-4), Not(IsOk()));
}

}  // namespace
}  // namespace facegate
