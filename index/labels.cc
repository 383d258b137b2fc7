#include "index/labels.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdint>
#include <iterator>

namespace facegate {
namespace {

constexpr size_t kMaxLabelKeyBytes = 63;

bool IsLower(char c) { return c >= 'a' && c <= 'z'; }
bool IsKeyChar(char c) {
  return IsLower(c) || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

// Tells how many bytes follow a lead byte of UTF-8, and what the code point must at least be; -1
// for a byte that leads nothing.
struct Lead {
  int followers = -1;
  uint32_t bits = 0;
  uint32_t minimum = 0;
};
Lead ReadLead(uint8_t byte) {
  if (byte < 0x80) return {0, byte, 0};
  if (byte >= 0xC0 && byte < 0xE0) return {1, byte & 0x1Fu, 0x80};
  if (byte >= 0xE0 && byte < 0xF0) return {2, byte & 0x0Fu, 0x800};
  if (byte >= 0xF0 && byte < 0xF8) return {3, byte & 0x07u, 0x10000};
  return {};
}

bool IsPrintable(uint32_t code_point) {
  const bool control = code_point < 0x20 || (code_point >= 0x7F && code_point < 0xA0);
  const bool surrogate = code_point >= 0xD800 && code_point < 0xE000;
  return !control && !surrogate && code_point <= 0x10FFFF;
}

struct CodePoints {
  uint32_t first = 0;
  uint32_t last = 0;
};
// Unicode 15: the category Cf without U+200C and U+200D, and the separators U+2028 and U+2029.
constexpr CodePoints kInvisible[] = {
    {0x00AD, 0x00AD},   {0x0600, 0x0605},   {0x061C, 0x061C},   {0x06DD, 0x06DD},
    {0x070F, 0x070F},   {0x0890, 0x0891},   {0x08E2, 0x08E2},   {0x180E, 0x180E},
    {0x200B, 0x200B},   {0x200E, 0x200F},   {0x2028, 0x202E},   {0x2060, 0x2064},
    {0x2066, 0x206F},   {0xFEFF, 0xFEFF},   {0xFFF9, 0xFFFB},   {0x110BD, 0x110BD},
    {0x110CD, 0x110CD}, {0x13430, 0x1343F}, {0x1BCA0, 0x1BCA3}, {0x1D173, 0x1D17A},
    {0xE0001, 0xE0001}, {0xE0020, 0xE007F}};

bool IsInvisible(uint32_t code_point) {
  return std::any_of(std::begin(kInvisible), std::end(kInvisible), [&](const CodePoints& range) {
    return range.first <= code_point && code_point <= range.last;
  });
}

// UTF-8, in its shortest form, whose code points are all as wanted.
template <typename Wanted>
bool IsUtf8Of(std::string_view text, const Wanted& wanted) {
  for (size_t at = 0; at < text.size();) {
    const Lead lead = ReadLead(static_cast<uint8_t>(text[at++]));
    if (lead.followers < 0) return false;
    uint32_t code_point = lead.bits;
    for (int i = 0; i < lead.followers; ++i, ++at) {
      if (at == text.size()) return false;
      const auto byte = static_cast<uint8_t>(text[at]);
      if ((byte & 0xC0) != 0x80) return false;
      code_point = code_point << 6 | (byte & 0x3Fu);
    }
    if (code_point < lead.minimum || !wanted(code_point)) return false;
  }
  return true;
}

}  // namespace

bool IsLabelKey(std::string_view key) {
  return !key.empty() && key.size() <= kMaxLabelKeyBytes && IsLower(key.front()) &&
         std::all_of(key.begin(), key.end(), IsKeyChar);
}

Status CheckLabelCount(size_t count) {
  if (count <= kMaxLabels) return OkStatus();
  return RefuseField("labels",
                     fmt::format("has {} entries, must have at most {}", count, kMaxLabels));
}

Status CheckStoredLabels(const Labels& labels) {
  FACEGATE_RETURN_IF_ERROR(CheckLabelCount(labels.size()));
  for (const auto& [key, value] : labels) {
    if (!IsLabelKey(key)) {
      return RefuseField("labels", "has a key that does not match [a-z][a-z0-9._-]{0,62}");
    }
    if (value.size() > kMaxLabelValueBytes) {
      return RefuseField("labels", fmt::format("has a value of {} bytes, must be at most {}",
                                               value.size(), kMaxLabelValueBytes));
    }
    if (!IsUtf8Of(value, IsPrintable)) {
      return RefuseField("labels", "has a value that is not UTF-8 without control characters");
    }
  }
  return OkStatus();
}

Status CheckLabels(const Labels& labels) {
  FACEGATE_RETURN_IF_ERROR(CheckStoredLabels(labels));
  for (const auto& [key, value] : labels) {
    if (!IsUtf8Of(value, [](uint32_t code_point) { return !IsInvisible(code_point); })) {
      return RefuseField("labels",
                         "has a value with invisible characters, such as marks that change the "
                         "direction of the text");
    }
  }
  return OkStatus();
}

}  // namespace facegate
