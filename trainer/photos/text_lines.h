#pragma once

#include <string>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// The lines of a text file without their ends ("\n", "\r\n" or "\r") and without a byte order mark;
// empty ones are left out. Fails as ReadListText() does.
StatusOr<std::vector<std::string>> ReadLines(const std::string& path);

}  // namespace facegate
