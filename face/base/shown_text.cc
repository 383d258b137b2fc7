#include "face/base/shown_text.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstddef>

#include "face/base/utf8.h"

namespace facegate {
namespace {

// Bytes of the letter at the front of `text`; 0 where that is no UTF-8, or a control character:
// U+0000 to U+001F and U+007F to U+009F.
size_t ShownBytes(std::string_view text) {
  const size_t bytes = Utf8LetterBytes(text);
  const std::string_view letter = text.substr(0, bytes);
  const auto first = static_cast<unsigned char>(text.front());
  const bool is_control =
      first < 0x20 || first == 0x7f || (letter >= "\xc2\x80" && letter <= "\xc2\x9f");
  return is_control ? 0 : bytes;
}

// `kept` are the control characters that stay.
std::string Escaped(std::string_view text, std::string_view kept) {
  std::string escaped;
  escaped.reserve(text.size());
  while (!text.empty()) {
    const size_t bytes = kept.find(text.front()) != std::string_view::npos ? 1 : ShownBytes(text);
    if (bytes > 0) {
      escaped += text.substr(0, bytes);
    } else {
      escaped += fmt::format("\\x{:02x}", static_cast<unsigned char>(text.front()));
    }
    text.remove_prefix(std::max<size_t>(1, bytes));
  }
  return escaped;
}

}  // namespace

std::string ShownText(std::string_view message) { return Escaped(message, "\n\t"); }

std::string ShownLine(std::string_view message) { return Escaped(message, ""); }

}  // namespace facegate
