#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace facegate {

std::string CollectionName(std::string_view collection);
std::string IdentityName(std::string_view collection, std::string_view identity);
std::string TemplateName(std::string_view collection, std::string_view identity, uint64_t id);

// collections/{collection}/identities/{identity}/templates/{template_id}
struct TemplatePath {
  std::string collection;
  std::string identity;
  uint64_t template_id = 0;  // > 0
  bool operator==(const TemplatePath&) const = default;
};

// Nothing for any other text; a number has no leading zeros.
std::optional<TemplatePath> ParseTemplateName(std::string_view name);

}  // namespace facegate
