#pragma once

#include <string>

namespace facegate {

// A request_id for one change: a random UUID of version 4 (RFC 4122). A write that carries one may
// be sent again, also when nobody knows whether it arrived: the server makes the change once.
std::string MakeRequestId();

}  // namespace facegate
