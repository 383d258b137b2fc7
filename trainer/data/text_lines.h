#pragma once

#include <string>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// The lines of a text file without their ends ("\n" or "\r\n"); empty ones are left out.
StatusOr<std::vector<std::string>> ReadLines(const std::string& path);

}  // namespace facegate
