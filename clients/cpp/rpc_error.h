#pragma once

#include <grpcpp/support/status.h>

#include "clients/cpp/client_result.h"

namespace facegate {

// The error of a call that is not OK, with what its google.rpc details say. Details that do not
// parse, or that are unknown, are left out: code and message always arrive.
ClientError DecodeError(const grpc::Status& status);

}  // namespace facegate
