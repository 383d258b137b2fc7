#pragma once

#include <string_view>

#include "face/base/status.h"

namespace facegate {

// True when `id` matches [A-Za-z0-9][A-Za-z0-9._-]{0,127}.
bool IsResourceId(std::string_view id);

// kInvalidField at `field` unless it does. The message does not repeat the id: it may be a person's
// name.
Status CheckResourceId(std::string_view id, std::string_view field);

}  // namespace facegate
