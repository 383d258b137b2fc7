#pragma once

#include <string_view>

#include "face/base/status.h"

namespace facegate {

// The refusal of a picture whose bytes do not make one; `message` says why.
inline Status Undecodable(std::string_view message) {
  return Refuse(Reason::kImageUndecodable, message);
}

}  // namespace facegate
