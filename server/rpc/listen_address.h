#pragma once

#include <string>
#include <string_view>

#include "face/base/status.h"

namespace facegate {

// "127.0.0.1:50051", "[::1]:0", "localhost:50051".
struct ListenAddress {
  std::string host;  // without brackets
  int port = 0;      // 0: the system chooses
};

// kInvalidArgument for anything else than host:port with a port of 0 to 65535.
StatusOr<ListenAddress> ParseListenAddress(std::string_view text);

// True when only this machine can reach it: 127.0.0.0/8, ::1 or localhost. A name that merely
// begins like one is not.
bool IsLoopback(const ListenAddress& address);

// Writes brackets around an IPv6 address, as gRPC and people do.
std::string ToString(const ListenAddress& address);

}  // namespace facegate
