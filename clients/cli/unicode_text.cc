#include "clients/cli/unicode_text.h"

#include <unicode/normalizer2.h>
#include <unicode/uchar.h>
#include <unicode/unistr.h>
#include <unicode/utf8.h>

#include <cstdint>

namespace facegate::cli {
namespace {

constexpr UChar32 kReplacement = 0xFFFD;

struct Character {
  UChar32 code = kReplacement;
  size_t bytes = 1;  // in the text
  bool valid = false;
};

// The character of `text` that begins at `at`, which lies within it.
Character CharacterAt(std::string_view text, size_t at) {
  const auto* const bytes = reinterpret_cast<const uint8_t*>(text.data());
  const auto size = static_cast<int32_t>(text.size());
  auto next = static_cast<int32_t>(at);
  UChar32 code = 0;
  U8_NEXT(bytes, next, size, code);
  Character character{.bytes = static_cast<size_t>(next) - at, .valid = code >= 0};
  if (character.valid) character.code = code;
  return character;
}

// Calls `visit(character)` for each character.
template <typename Visit>
void ForEachCharacter(std::string_view text, const Visit& visit) {
  for (size_t at = 0; at < text.size();) {
    const Character character = CharacterAt(text, at);
    visit(character);
    at += character.bytes;
  }
}

void Append(std::string& text, UChar32 code) { icu::UnicodeString(code).toUTF8String(text); }

std::string Normalised(std::string_view text, const icu::Normalizer2* form, UErrorCode status) {
  const auto source = icu::UnicodeString::fromUTF8(
      icu::StringPiece(text.data(), static_cast<int32_t>(text.size())));
  icu::UnicodeString result;
  if (U_SUCCESS(status)) result = form->normalize(source, status);
  std::string utf8;
  // ICU cannot do it without its data: the text stays as it is.
  (U_SUCCESS(status) ? result : source).toUTF8String(utf8);
  return utf8;
}

bool IsControl(UChar32 code) {
  const int8_t type = u_charType(code);
  return type == U_CONTROL_CHAR || type == U_LINE_SEPARATOR || type == U_PARAGRAPH_SEPARATOR ||
         u_hasBinaryProperty(code, UCHAR_BIDI_CONTROL) != 0;
}

bool IsMark(UChar32 code) {
  const int8_t type = u_charType(code);
  return type == U_NON_SPACING_MARK || type == U_ENCLOSING_MARK;
}

size_t ColumnsOf(UChar32 code) {
  if (IsMark(code) || u_charType(code) == U_FORMAT_CHAR) return 0;
  const int width = u_getIntPropertyValue(code, UCHAR_EAST_ASIAN_WIDTH);
  return width == U_EA_WIDE || width == U_EA_FULLWIDTH ? 2 : 1;
}

bool IsIdCharacter(UChar32 code) {
  return (code >= 'A' && code <= 'Z') || (code >= 'a' && code <= 'z') ||
         (code >= '0' && code <= '9') || code == '.' || code == '_' || code == '-';
}

}  // namespace

bool IsValidUtf8(std::string_view text) {
  bool valid = true;
  ForEachCharacter(text, [&](const Character& character) { valid &= character.valid; });
  return valid;
}

std::string Composed(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* const form = icu::Normalizer2::getNFCInstance(status);
  return Normalised(text, form, status);
}

std::string AsciiSkeleton(std::string_view text) {
  UErrorCode status = U_ZERO_ERROR;
  const icu::Normalizer2* const form = icu::Normalizer2::getNFDInstance(status);
  std::string skeleton;
  ForEachCharacter(Normalised(text, form, status), [&](const Character& character) {
    if (IsIdCharacter(character.code)) {
      skeleton.push_back(static_cast<char>(character.code));
    } else if (!IsMark(character.code) && !skeleton.ends_with('_')) {
      skeleton.push_back('_');
    }
  });
  return skeleton;
}

std::string WithoutControls(std::string_view text) {
  std::string kept;
  ForEachCharacter(text, [&](const Character& character) {
    if (!IsControl(character.code)) Append(kept, character.code);
  });
  return kept;
}

std::string CutToBytes(std::string_view text, size_t bytes) {
  size_t kept = 0;
  while (kept < text.size()) {
    const size_t next = kept + CharacterAt(text, kept).bytes;
    if (next > bytes) break;
    kept = next;
  }
  return std::string(text.substr(0, kept));
}

std::string Printable(std::string_view text) {
  std::string printable;
  ForEachCharacter(text, [&](const Character& character) {
    Append(printable, !character.valid || IsControl(character.code) ? '?' : character.code);
  });
  return printable;
}

size_t DisplayWidth(std::string_view text) {
  size_t columns = 0;
  ForEachCharacter(text, [&](const Character& character) { columns += ColumnsOf(character.code); });
  return columns;
}

size_t BytesThatFit(std::string_view text, size_t columns) {
  size_t taken = 0;
  size_t used = 0;
  while (taken < text.size()) {
    const Character character = CharacterAt(text, taken);
    used += ColumnsOf(character.code);
    if (used > columns && taken > 0) break;
    taken += character.bytes;
  }
  return taken;
}

}  // namespace facegate::cli
