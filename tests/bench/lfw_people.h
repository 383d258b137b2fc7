#pragma once

#include <filesystem>
#include <string>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// The rank-1 protocol: of each person with two or more photos the first in name order is enrolled
// and the others are probes.
struct LfwPerson {
  std::string id;  // the folder's name, which is an identity id
  std::filesystem::path enrolled;
  std::vector<std::filesystem::path> probes;
};

// Reads `photos`/PERSON/PHOTO.jpg, in name order; at most `limit` people (0: all).
StatusOr<std::vector<LfwPerson>> ReadLfwPeople(const std::filesystem::path& photos, size_t limit);

}  // namespace facegate
