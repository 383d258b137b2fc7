#pragma once

#include <chrono>

#include "clients/cli/command.h"
#include "clients/cpp/retry.h"

namespace facegate::cli {

// Sends a call that changes nothing: again when the server says after what time that helps, such as
// a full queue.
template <typename Request, typename Response>
ClientResult<Response> Ask(Session& session,
                           ClientResult<Response> (FacegateClient::*method)(const Request&),
                           const Request& request) {
  return CallWithRetry([&] { return (session.client.*method)(request); },
                       {.patience = std::chrono::seconds(10)});
}

}  // namespace facegate::cli
