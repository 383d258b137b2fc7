#include "face/image/system_name.h"

#include <algorithm>
#include <array>

namespace facegate {
namespace {

// The names are in lower case.
constexpr std::array<std::string_view, 17> kSystemNames = {"thumbs.db",
                                                           "ehthumbs.db",
                                                           "desktop.ini",
                                                           "picasa.ini",
                                                           "@eadir",
                                                           "@__thumb",
                                                           "@tmp",
                                                           "#recycle",
                                                           "#snapshot",
                                                           "__macosx",
                                                           "icon\r",
                                                           "$recycle.bin",
                                                           "lost+found",
                                                           "system volume information",
                                                           "temporary items",
                                                           "network trash folder",
                                                           "__pycache__"};

char LowerCase(char letter) {
  return letter >= 'A' && letter <= 'Z' ? static_cast<char>(letter - 'A' + 'a') : letter;
}

}  // namespace

bool IsSystemName(std::string_view name) {
  if (name.starts_with('.')) return true;
  return std::any_of(
      kSystemNames.begin(), kSystemNames.end(), [name](std::string_view system_name) {
        return std::equal(system_name.begin(), system_name.end(), name.begin(), name.end(),
                          [](char own, char letter) { return own == LowerCase(letter); });
      });
}

}  // namespace facegate
