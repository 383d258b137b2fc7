#include "clients/cli/folder_name.h"

#include <algorithm>

#include "clients/cli/unicode_text.h"
#include "face/base/sha256.h"

namespace facegate::cli {
namespace {

constexpr size_t kMaxIdLength = 128;
constexpr size_t kHashDigits = 16;
constexpr size_t kMaxLabelBytes = 256;
constexpr char kNothingReadable[] = "name";

bool IsAlphanumeric(char c) {
  return (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

bool IsIdentityId(std::string_view text) {
  return !text.empty() && text.size() <= kMaxIdLength && IsAlphanumeric(text.front()) &&
         std::all_of(text.begin(), text.end(),
                     [](char c) { return IsAlphanumeric(c) || c == '.' || c == '_' || c == '-'; });
}

// The part of an id that people recognise.
std::string ReadablePart(std::string_view name) {
  std::string readable = AsciiSkeleton(name);
  const auto first = std::find_if(readable.begin(), readable.end(), IsAlphanumeric);
  readable.erase(readable.begin(), first);
  if (readable.size() > kMaxIdLength - kHashDigits - 1) {
    readable.resize(kMaxIdLength - kHashDigits - 1);
  }
  while (!readable.empty() && !IsAlphanumeric(readable.back())) readable.pop_back();
  return readable.empty() ? kNothingReadable : readable;
}

}  // namespace

std::string IdentityIdOf(std::string_view folder) {
  if (IsIdentityId(folder)) return std::string(folder);
  // Two names that are not UTF-8 must not meet in the same replacement characters.
  const std::string hash = Sha256Hex(IsValidUtf8(folder) ? Composed(folder) : std::string(folder));
  return ReadablePart(folder) + "-" + hash.substr(0, kHashDigits);
}

std::string FolderLabelOf(std::string_view folder) {
  return CutToBytes(WithoutControls(Composed(folder)), kMaxLabelBytes);
}

}  // namespace facegate::cli
