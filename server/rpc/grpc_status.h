#pragma once

#include <grpcpp/support/status.h>

#include <string_view>

#include "face/base/status.h"

namespace facegate {

// The status on the wire: google.rpc.Status in the binary details with ErrorInfo (reason, domain
// "facegate"), BadRequest where a field is to blame and RetryInfo where a retry is worth it.
// A status without a reason is nothing that a client may know more of: it becomes INTERNAL with
// `request_id`, under which the log has the text. kCancelled stays what it is.
grpc::Status ToGrpcStatus(const Status& status, std::string_view request_id);

// True when ToGrpcStatus() withholds the text of `status`, so that it must be logged.
bool IsWithheld(const Status& status);

}  // namespace facegate
