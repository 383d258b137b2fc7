#pragma once

#include <cstddef>
#include <string_view>

#include "face/base/status.h"

namespace facegate {

// OK when `text` is one JSON value (RFC 8259) in which no object has a key twice and nothing is
// nested deeper than `max_depth`. kInvalidArgument otherwise, with the key or the byte. Builds
// nothing but the set of keys of the open objects.
Status CheckStrictJson(std::string_view text, size_t max_depth);

}  // namespace facegate
