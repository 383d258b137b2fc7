#pragma once

#include <string>

#include "server/engine/caller.h"

namespace facegate {

// Tells a handler what it must know of the call beside its request.
struct CallContext {
  Caller caller;
  std::string request_id;  // names the call in the log and to the client
};

}  // namespace facegate
