#include "server/rpc/grpc_status.h"

#include <fmt/format.h>

#include <chrono>
#include <map>
#include <string>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace facegate {
namespace {

constexpr bool SameNumber(StatusCode ours, grpc::StatusCode theirs) {
  return static_cast<int>(ours) == static_cast<int>(theirs);
}
static_assert(SameNumber(StatusCode::kOk, grpc::StatusCode::OK));
static_assert(SameNumber(StatusCode::kCancelled, grpc::StatusCode::CANCELLED));
static_assert(SameNumber(StatusCode::kUnknown, grpc::StatusCode::UNKNOWN));
static_assert(SameNumber(StatusCode::kInvalidArgument, grpc::StatusCode::INVALID_ARGUMENT));
static_assert(SameNumber(StatusCode::kDeadlineExceeded, grpc::StatusCode::DEADLINE_EXCEEDED));
static_assert(SameNumber(StatusCode::kNotFound, grpc::StatusCode::NOT_FOUND));
static_assert(SameNumber(StatusCode::kAlreadyExists, grpc::StatusCode::ALREADY_EXISTS));
static_assert(SameNumber(StatusCode::kPermissionDenied, grpc::StatusCode::PERMISSION_DENIED));
static_assert(SameNumber(StatusCode::kResourceExhausted, grpc::StatusCode::RESOURCE_EXHAUSTED));
static_assert(SameNumber(StatusCode::kFailedPrecondition, grpc::StatusCode::FAILED_PRECONDITION));
static_assert(SameNumber(StatusCode::kAborted, grpc::StatusCode::ABORTED));
static_assert(SameNumber(StatusCode::kOutOfRange, grpc::StatusCode::OUT_OF_RANGE));
static_assert(SameNumber(StatusCode::kUnimplemented, grpc::StatusCode::UNIMPLEMENTED));
static_assert(SameNumber(StatusCode::kInternal, grpc::StatusCode::INTERNAL));
static_assert(SameNumber(StatusCode::kUnavailable, grpc::StatusCode::UNAVAILABLE));
static_assert(SameNumber(StatusCode::kDataLoss, grpc::StatusCode::DATA_LOSS));
static_assert(SameNumber(StatusCode::kUnauthenticated, grpc::StatusCode::UNAUTHENTICATED));

constexpr char kDomain[] = "facegate";

void AddErrorInfo(Reason reason, const std::map<std::string, std::string>& metadata,
                  std::string_view request_id, google::rpc::Status& wire) {
  google::rpc::ErrorInfo info;
  info.set_reason(std::string(ReasonName(reason)));
  info.set_domain(kDomain);
  if (reason == Reason::kInternal) {
    (*info.mutable_metadata())["request_id"] = std::string(request_id);
  } else {
    info.mutable_metadata()->insert(metadata.begin(), metadata.end());
  }
  wire.add_details()->PackFrom(info);
}

void AddBadRequest(const Status& status, google::rpc::Status& wire) {
  const std::string field = FieldOf(status);
  if (field.empty() || status.code() != StatusCode::kInvalidArgument) return;
  google::rpc::BadRequest bad_request;
  auto* violation = bad_request.add_field_violations();
  violation->set_field(field);
  violation->set_description(std::string(MessageOf(status)));
  wire.add_details()->PackFrom(bad_request);
}

void AddRetryInfo(const Status& status, google::rpc::Status& wire) {
  const auto delay = RetryAfterOf(status);
  if (!delay.has_value()) return;
  google::rpc::RetryInfo retry;
  const auto seconds = std::chrono::duration_cast<std::chrono::seconds>(*delay);
  const std::chrono::nanoseconds rest = *delay - seconds;
  retry.mutable_retry_delay()->set_seconds(seconds.count());
  retry.mutable_retry_delay()->set_nanos(static_cast<int32_t>(rest.count()));
  wire.add_details()->PackFrom(retry);
}

// "probe.image: no face was found"; a path is worth its place in the text that most clients show.
std::string MessageWithField(const Status& status) {
  const std::string field = FieldOf(status);
  std::string message(MessageOf(status));
  return field.empty() ? message : field + ": " + message;
}

}  // namespace

bool IsWithheld(const Status& status) {
  if (status.ok() || status.code() == StatusCode::kCancelled) return false;
  return ReasonOf(status).value_or(Reason::kInternal) == Reason::kInternal;
}

grpc::Status ToGrpcStatus(const Status& status, std::string_view request_id) {
  if (status.ok()) return grpc::Status::OK;
  if (status.code() == StatusCode::kCancelled) return grpc::Status::CANCELLED;

  const bool internal = IsWithheld(status);
  google::rpc::Status wire;
  wire.set_code(static_cast<int>(internal ? StatusCode::kInternal : status.code()));
  wire.set_message(
      internal ? fmt::format("internal error; the server's log has it as request {}", request_id)
               : MessageWithField(status));
  AddErrorInfo(internal ? Reason::kInternal : *ReasonOf(status), MetadataOf(status), request_id,
               wire);
  if (!internal) {
    AddBadRequest(status, wire);
    AddRetryInfo(status, wire);
  }
  return {static_cast<grpc::StatusCode>(wire.code()), wire.message(), wire.SerializeAsString()};
}

}  // namespace facegate
