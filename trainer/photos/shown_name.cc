#include "trainer/photos/shown_name.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "face/weights/quote.h"

namespace facegate {
namespace {

constexpr size_t kMostShown = 1024;

// Bytes of the letter at the front of `text`; 0 where that is no UTF-8, or a control character:
// U+0000 to U+001F and U+007F to U+009F.
size_t LetterBytes(std::string_view text) {
  constexpr size_t kMostBytes = 4;
  size_t bytes = 1;
  while (bytes < std::min(kMostBytes, text.size()) && !IsUtf8(text.substr(0, bytes))) ++bytes;
  const std::string_view letter = text.substr(0, bytes);
  const auto first = static_cast<unsigned char>(letter.front());
  const bool is_control =
      first < 0x20 || first == 0x7f || (letter >= "\xc2\x80" && letter <= "\xc2\x9f");
  return is_control || !IsUtf8(letter) ? 0 : bytes;
}

std::string Escaped(std::string_view text, bool keeps_line_ends) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const size_t bytes = LetterBytes(text);
    if (bytes > 0 || (keeps_line_ends && text.front() == '\n')) {
      escaped += text.substr(0, std::max<size_t>(1, bytes));
    } else {
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    }
    text.remove_prefix(std::max<size_t>(1, bytes));
  }
  return escaped;
}

bool CanBeShown(std::string_view name) {
  return name.size() <= kMostShown && Escaped(name, false).size() == name.size();
}

}  // namespace

std::string ShownName(std::string_view name) {
  return CanBeShown(name) ? std::string(name) : Quote(name);
}

std::string ShownInQuotes(std::string_view name) {
  return CanBeShown(name) ? fmt::format("\"{}\"", name) : Quote(name);
}

std::string ShownText(std::string_view message) { return Escaped(message, true); }

std::string ShownLine(std::string_view message) { return Escaped(message, false); }

}  // namespace facegate
