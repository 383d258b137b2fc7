#include "clients/cpp/rpc_error.h"

#include <algorithm>
#include <cstdint>

#include "google/rpc/error_details.pb.h"
#include "google/rpc/status.pb.h"

namespace facegate {
namespace {

// The delay that a server names is not trusted to be sane: a negative one becomes 0, a long one an
// hour.
std::chrono::milliseconds DelayOf(const google::rpc::RetryInfo& retry) {
  constexpr int64_t kMaxSeconds = 3600;
  const int64_t seconds = std::clamp<int64_t>(retry.retry_delay().seconds(), 0, kMaxSeconds);
  const int64_t nanos = std::clamp<int64_t>(retry.retry_delay().nanos(), 0, 999'999'999);
  return std::chrono::milliseconds(seconds * 1000 + nanos / 1'000'000);
}

void ReadDetail(const google::protobuf::Any& detail, ClientError& error) {
  google::rpc::ErrorInfo info;
  google::rpc::RetryInfo retry;
  google::rpc::BadRequest bad_request;
  if (detail.Is<google::rpc::ErrorInfo>() && detail.UnpackTo(&info)) {
    error.reason = info.reason();
    error.metadata.insert(info.metadata().begin(), info.metadata().end());
  } else if (detail.Is<google::rpc::RetryInfo>() && detail.UnpackTo(&retry)) {
    error.retry_after = DelayOf(retry);
  } else if (detail.Is<google::rpc::BadRequest>() && detail.UnpackTo(&bad_request)) {
    if (error.field.empty() && bad_request.field_violations_size() > 0) {
      error.field = bad_request.field_violations(0).field();
    }
  }
}

}  // namespace

ClientError DecodeError(const grpc::Status& status) {
  ClientError error{.code = status.error_code(), .message = status.error_message()};
  google::rpc::Status details;
  if (details.ParseFromString(status.error_details())) {
    for (const google::protobuf::Any& detail : details.details()) ReadDetail(detail, error);
  }
  return error;
}

}  // namespace facegate
