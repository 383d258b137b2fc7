#pragma once

#include <cstddef>
#include <span>
#include <string>

#include "face/base/status.h"

namespace facegate {

// Writes a list for data.leave_out, a name in each line, and returns how many of them it is
// without: a name that has a line end would be lines of their own, which name other photos.
StatusOr<size_t> WritePhotoList(const std::string& path, std::span<const std::string> names);

// Says that so many photos, at least one, are not in a list.
std::string NotListedText(size_t without);

}  // namespace facegate
