#include "server/rpc/grpc_status.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <chrono>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;
using namespace std::chrono_literals;

google::rpc::Status Details(const grpc::Status& status) {
  google::rpc::Status details;
  EXPECT_TRUE(details.ParseFromString(status.error_details()));
  EXPECT_EQ(details.code(), static_cast<int>(status.error_code()));
  EXPECT_EQ(details.message(), status.error_message());
  return details;
}

// The one detail of type T; null when there is none.
template <typename T>
std::optional<T> Find(const google::rpc::Status& details) {
  for (const auto& any : details.details()) {
    T message;
    if (any.UnpackTo(&message)) return message;
  }
  return std::nullopt;
}

TEST(GrpcStatusTest, OkIsOk) { EXPECT_TRUE(ToGrpcStatus(OkStatus(), "r").ok()); }

TEST(GrpcStatusTest, EveryReasonHasErrorInfo) {
  for (int i = 0; i <= static_cast<int>(Reason::kInternal); ++i) {
    const auto reason = static_cast<Reason>(i);
    const grpc::Status status = ToGrpcStatus(Refuse(reason, "why"), "r");
    EXPECT_EQ(static_cast<int>(status.error_code()), static_cast<int>(CodeOf(reason)));
    const auto info = Find<google::rpc::ErrorInfo>(Details(status));
    ASSERT_TRUE(info.has_value());
    EXPECT_EQ(info->reason(), ReasonName(reason));
    EXPECT_EQ(info->domain(), "facegate");
  }
}

TEST(GrpcStatusTest, DetailsAreOfTheTypesThatClientsKnow) {
  const auto details = Details(ToGrpcStatus(Refuse(Reason::kNoFace, "why"), "r"));
  ASSERT_EQ(details.details_size(), 1);
  EXPECT_EQ(details.details(0).type_url(), "type.googleapis.com/google.rpc.ErrorInfo");
}

TEST(GrpcStatusTest, AFieldBecomesBadRequest) {
  const grpc::Status status =
      ToGrpcStatus(AtField(RefuseField("face_selection", "is wrong"), "probe"), "r");
  const auto bad = Find<google::rpc::BadRequest>(Details(status));
  ASSERT_TRUE(bad.has_value());
  ASSERT_EQ(bad->field_violations_size(), 1);
  EXPECT_EQ(bad->field_violations(0).field(), "probe.face_selection");
  EXPECT_EQ(bad->field_violations(0).description(), "is wrong");
  EXPECT_EQ(status.error_message(), "probe.face_selection: is wrong");
}

TEST(GrpcStatusTest, AFieldOfAStatusThatBlamesNoArgumentIsInTheTextAlone) {
  const Status not_found =
      AtField(Refuse(Reason::kTemplateNotFound, "no such template"), "probe.template_name");
  const grpc::Status status = ToGrpcStatus(not_found, "r");
  EXPECT_FALSE(Find<google::rpc::BadRequest>(Details(status)).has_value());
  EXPECT_THAT(status.error_message(), HasSubstr("probe.template_name"));
}

TEST(GrpcStatusTest, ARetryDelayBecomesRetryInfo) {
  const auto retry = Find<google::rpc::RetryInfo>(
      Details(ToGrpcStatus(WithRetryAfter(Refuse(Reason::kQueueFull, "full"), 2345ms), "r")));
  ASSERT_TRUE(retry.has_value());
  EXPECT_EQ(retry->retry_delay().seconds(), 2);
  EXPECT_EQ(retry->retry_delay().nanos(), 345'000'000);
}

TEST(GrpcStatusTest, NothingElseTellsToRetry) {
  EXPECT_FALSE(
      Find<google::rpc::RetryInfo>(Details(ToGrpcStatus(Refuse(Reason::kStoreFull, "full"), "r")))
          .has_value());
}

TEST(GrpcStatusTest, WithholdsTheTextOfWhatHasNoReason) {
  for (const Status& status :
       {Internal("secret"), DataLoss("secret"), NotFound("secret"),
        Status(StatusCode::kResourceExhausted, "secret"), Refuse(Reason::kInternal, "secret")}) {
    EXPECT_TRUE(IsWithheld(status));
    const grpc::Status wire = ToGrpcStatus(status, "request-17");
    EXPECT_EQ(wire.error_code(), grpc::StatusCode::INTERNAL);
    EXPECT_THAT(wire.error_message(), Not(HasSubstr("secret")));
    EXPECT_THAT(wire.error_details(), Not(HasSubstr("secret")));
    EXPECT_THAT(wire.error_message(), HasSubstr("request-17"));
    const auto info = Find<google::rpc::ErrorInfo>(Details(wire));
    ASSERT_TRUE(info.has_value());
    EXPECT_EQ(info->reason(), "INTERNAL");
    EXPECT_EQ(info->metadata().at("request_id"), "request-17");
  }
}

TEST(GrpcStatusTest, CancelledStaysCancelled) {
  const Status cancelled(StatusCode::kCancelled, "gone");
  EXPECT_FALSE(IsWithheld(cancelled));
  EXPECT_EQ(ToGrpcStatus(cancelled, "r").error_code(), grpc::StatusCode::CANCELLED);
}

}  // namespace
}  // namespace facegate
