#pragma once

#include <cstdint>
#include <string>

#include "face/base/status.h"

namespace facegate {

// The text of a list that people or their programs wrote: UTF-8 (or another superset of ASCII)
// without its byte order mark. kInvalidArgument, naming the file, for UTF-16 and UTF-32, which
// Windows programs write, and for bytes that are not text; saying how to convert it.
StatusOr<std::string> ReadListText(const std::string& path);

}  // namespace facegate
