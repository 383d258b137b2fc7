#pragma once

#include <CLI/CLI.hpp>
#include <chrono>
#include <string>

#include "clients/cli/command.h"
#include "clients/cpp/request_id.h"
#include "clients/cpp/retry.h"

// Commands change something by these: with a request_id, so that a call that is sent again cannot
// make the change twice.
namespace facegate::cli {

// Adds --request-id. Returns the option.
CLI::Option* AddRequestId(CLI::App& app, std::string& request_id);

// Says on err how the change can be asked for again, after a call whose fate is unknown.
void PrintHowToRepeat(Session& session, const std::string& request_id);

// Sends a write that has a request_id: again when the server asks for patience, or the connection
// broke.
template <typename Request, typename Response>
ClientResult<Response> Send(Session& session,
                            ClientResult<Response> (FacegateClient::*method)(const Request&),
                            const Request& request) {
  return CallWithRetry([&] { return (session.client.*method)(request); },
                       {.patience = std::chrono::seconds(10), .broken_connections = 3});
}

// The write of a command: sent under `request_id`, or under a new one where that is empty.
template <typename Request, typename Response>
ClientResult<Response> Write(Session& session,
                             ClientResult<Response> (FacegateClient::*method)(const Request&),
                             Request& request, const std::string& request_id) {
  request.set_request_id(request_id.empty() ? MakeRequestId() : request_id);
  auto answer = Send(session, method, request);
  if (!answer.ok() && answer.error().unreachable()) {
    PrintHowToRepeat(session, request.request_id());
  }
  return answer;
}

}  // namespace facegate::cli
