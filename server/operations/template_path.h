#pragma once

#include <cstdint>
#include <string>

namespace facegate {

// Names the place of a stored template.
struct TemplatePath {
  std::string collection;
  std::string identity;
  uint64_t template_id = 0;  // > 0
  bool operator==(const TemplatePath&) const = default;
};

}  // namespace facegate
