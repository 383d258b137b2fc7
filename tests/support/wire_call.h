#pragma once

#include <grpcpp/channel.h>

#include <chrono>
#include <map>
#include <memory>
#include <string>

#include "face/base/status.h"

namespace facegate {

// The answer of a call, as it stood on the wire.
struct WireAnswer {
  int code = 0;  // grpc::StatusCode
  std::string message{};
  std::string reason{};  // of google.rpc.ErrorInfo; empty without one
  std::string domain{};
  std::string field{};  // of google.rpc.BadRequest; empty without one
  bool has_retry = false;
  std::string response{};  // the bytes, of a call that is OK
};

struct WireOptions {
  std::chrono::milliseconds timeout = std::chrono::seconds(60);
  bool cancel = false;  // at once after the start
  std::map<std::string, std::string> metadata{};
};

// Calls `method` ("/facegate.v1.FaceService/Embed") with bytes that need be no message.
WireAnswer CallRaw(const std::shared_ptr<grpc::Channel>& channel, const std::string& method,
                   const std::string& request, const WireOptions& options = {});

// Opens a connection, sends bytes that need be no HTTP/2, and reads until the server closes it or
// `patience` is over. True when the server closed it.
bool SendGarbage(const std::string& target, const std::string& bytes,
                 std::chrono::milliseconds patience);

// Another connection for each call: channels share one otherwise.
std::shared_ptr<grpc::Channel> OwnConnection(const std::string& target);

}  // namespace facegate
