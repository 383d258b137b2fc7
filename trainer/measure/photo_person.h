#pragma once

#include <string_view>

namespace facegate {

// PersonOf() tells who is on a photo by its name: "Anna/1.jpg" -> "Anna"; a photo without a folder
// is a person of its own.
constexpr bool NamesPerson(std::string_view photo) {
  const size_t slash = photo.rfind('/');
  return slash != std::string_view::npos && slash != 0;
}
constexpr std::string_view PersonOf(std::string_view photo) {
  return NamesPerson(photo) ? photo.substr(0, photo.rfind('/')) : photo;
}

}  // namespace facegate
