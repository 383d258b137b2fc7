#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "server/operations/template_path.h"

namespace facegate {

std::string CollectionName(std::string_view collection);
std::string IdentityName(std::string_view collection, std::string_view identity);
std::string TemplateName(std::string_view collection, std::string_view identity, uint64_t id);

// Reads collections/{collection}/identities/{identity}/templates/{template_id}. Nothing for any
// other text; a number has no leading zeros.
std::optional<TemplatePath> ParseTemplateName(std::string_view name);

}  // namespace facegate
