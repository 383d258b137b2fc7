#include "index/resource_id.h"

#include <fmt/format.h>

#include <algorithm>

namespace facegate {
namespace {

constexpr size_t kMaxIdBytes = 128;

// Not std::isalnum, which asks the locale.
bool IsAlphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool IsIdCharacter(char c) { return IsAlphanumeric(c) || c == '.' || c == '_' || c == '-'; }

}  // namespace

bool IsResourceId(std::string_view id) {
  return !id.empty() && id.size() <= kMaxIdBytes && IsAlphanumeric(id.front()) &&
         std::all_of(id.begin(), id.end(), IsIdCharacter);
}

Status CheckResourceId(std::string_view id, std::string_view field) {
  if (IsResourceId(id)) return OkStatus();
  if (id.empty()) return RefuseField(field, "id is empty");
  if (id.size() > kMaxIdBytes) {
    return RefuseField(field, fmt::format("id has {} bytes, limit is {}", id.size(), kMaxIdBytes));
  }
  if (!IsAlphanumeric(id.front())) {
    return RefuseField(field, "id must begin with one of A-Z a-z 0-9");
  }
  const auto odd = std::find_if_not(id.begin(), id.end(), IsIdCharacter);
  return RefuseField(field,
                     fmt::format("id has a character that is not one of A-Z a-z 0-9 . _ - at "
                                 "byte {}",
                                 odd - id.begin()));
}

}  // namespace facegate
