#include "trainer/photos/tar_archive.h"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <optional>
#include <string>
#include <system_error>
#include <utility>

namespace facegate {
namespace {

using namespace std::string_view_literals;

constexpr uint64_t kBlock = 512;
constexpr std::string_view kMagic = "ustar"sv;
constexpr std::string_view kPosixMagic = "ustar\0"sv;
constexpr size_t kMagicAt = 257;

struct Field {
  size_t at;
  size_t size;
};
constexpr Field kName{0, 100};
constexpr Field kSize{124, 12};
constexpr Field kSum{148, 8};
constexpr Field kType{156, 1};
constexpr Field kPrefix{345, 155};

std::string_view BytesOf(std::string_view block, Field field) {
  return block.substr(field.at, field.size);
}

// Text up to a zero byte.
std::string_view TextOf(std::string_view bytes) {
  return bytes.substr(0, std::min(bytes.find('\0'), bytes.size()));
}

// A number in octal digits, or, GNU's, in binary behind a byte of 0x80.
std::optional<uint64_t> NumberOf(std::string_view field) {
  uint64_t number = 0;
  if (field.starts_with('\x80')) {
    for (const char byte : field.substr(1)) {
      if (number >> 56 != 0) return std::nullopt;
      number = number << 8 | static_cast<unsigned char>(byte);
    }
    return number;
  }
  field.remove_prefix(std::min(field.find_first_not_of(' '), field.size()));
  const size_t digits = std::min(field.find_first_not_of("01234567"), field.size());
  if (field.substr(digits).find_first_not_of(" \0"sv) != std::string_view::npos) {
    return std::nullopt;
  }
  for (const char digit : field.substr(0, digits)) {
    number = number << 3 | static_cast<uint64_t>(digit - '0');
  }
  return number;
}

// The sum of a header's bytes, with blanks for the sum itself. Some programs of old added signed
// bytes.
bool HasItsSum(std::string_view block) {
  const std::optional<uint64_t> said = NumberOf(BytesOf(block, kSum));
  int64_t plain = 0;
  int64_t with_signs = 0;
  for (size_t i = 0; i < block.size(); ++i) {
    const bool in_sum = i >= kSum.at && i < kSum.at + kSum.size;
    const char byte = in_sum ? ' ' : block[i];
    plain += static_cast<unsigned char>(byte);
    with_signs += static_cast<signed char>(byte);
  }
  return said.has_value() &&
         (static_cast<int64_t>(*said) == plain || static_cast<int64_t>(*said) == with_signs);
}

// What headers in front of a member's own say of it.
struct Extended {
  std::optional<std::string> path;
  std::optional<uint64_t> size;
};

// Records of pax: "LENGTH KEY=VALUE\n". False where they are none.
bool TakePax(std::string_view text, Extended& extended) {
  while (!text.empty()) {
    size_t length = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), length);
    const auto digits = static_cast<size_t>(end - text.data());
    if (error != std::errc() || length > text.size() || length < digits + 2) return false;
    const std::string_view record = text.substr(digits + 1, length - digits - 2);
    text.remove_prefix(length);
    const size_t sign = std::min(record.find('='), record.size());
    const std::string_view key = record.substr(0, sign);
    const std::string_view value = record.substr(std::min(sign + 1, record.size()));
    if (key == "path") extended.path = std::string(value);
    if (key == "size") {
      uint64_t size = 0;
      const auto parsed = std::from_chars(value.data(), value.data() + value.size(), size);
      if (parsed.ec != std::errc() || parsed.ptr != value.data() + value.size()) return false;
      extended.size = size;
    }
  }
  return true;
}

std::string NameOf(std::string_view block) {
  const std::string_view name = TextOf(BytesOf(block, kName));
  const std::string_view prefix = TextOf(BytesOf(block, kPrefix));
  const bool posix = block.substr(kMagicAt).starts_with(kPosixMagic);
  if (!posix || prefix.empty()) return std::string(name);
  return fmt::format("{}/{}", prefix, name);
}

Status Damaged(uint64_t offset, std::string_view what) {
  return DataLoss(fmt::format("the tar archive {} at byte {}", what, offset));
}

// Goes from header to header.
class TarReader {
 public:
  TarReader(std::string_view bytes, LeftOut& left_out) : bytes_(bytes), left_out_(left_out) {}

  StatusOr<std::vector<ArchiveMember>> Read() {
    while (bytes_.size() - at_ >= kBlock) {
      const std::string_view block = bytes_.substr(at_, kBlock);
      if (block.find_first_not_of('\0') == std::string_view::npos) return Finish();
      if (!HasItsSum(block)) return Damaged(at_, "is damaged");
      FACEGATE_RETURN_IF_ERROR(Take(block));
    }
    return Damaged(at_, "is cut off");
  }

 private:
  // At the first of the blocks that end the archive.
  StatusOr<std::vector<ArchiveMember>> Finish() {
    if (announces_) return Damaged(at_, "is cut off");
    const size_t more = bytes_.find_first_not_of('\0', at_);
    if (more != std::string_view::npos) {
      return Damaged(
          more,
          "has bytes behind its end, those of another perhaps that was joined to it (tar "
          "--ignore-zeros unpacks both),");
    }
    return std::move(members_);
  }

  Status Take(std::string_view block) {
    const char type = block[kType.at];
    std::optional<uint64_t> size = NumberOf(BytesOf(block, kSize));
    const bool is_of_next = type == 'x' || type == 'L' || type == 'K';
    const bool is_extension = is_of_next || type == 'g';
    if (!is_extension && extended_.size.has_value()) size = extended_.size;
    const uint64_t begin = at_ + kBlock;
    if (!size.has_value() || *size > bytes_.size() - begin) return Damaged(at_, "is cut off");
    const std::string_view body = bytes_.substr(begin, *size);
    if (type == 'x' && !TakePax(body, extended_)) return Damaged(at_, "is damaged");
    if (type == 'L') extended_.path = std::string(TextOf(body));
    announces_ = is_of_next || (announces_ && is_extension);
    if (!is_extension) {
      const Extended own = std::exchange(extended_, Extended());
      TakeMember(type, own.path.value_or(NameOf(block)), begin, *size);
    }
    const uint64_t padding = (kBlock - *size % kBlock) % kBlock;
    at_ = begin + *size + std::min(padding, bytes_.size() - begin - *size);
    return OkStatus();
  }

  void TakeMember(char type, std::string name, uint64_t begin, uint64_t size) {
    const bool is_file = type == '0' || type == '\0' || type == '7';
    if (type == '5' || (is_file && name.ends_with('/'))) return;  // a folder
    if (!is_file) {
      left_out_.Add("links and other things that are no files", name);
      return;
    }
    members_.push_back(
        {.name = std::move(name), .offset = begin, .stored_bytes = size, .bytes = size});
  }

  const std::string_view bytes_;
  LeftOut& left_out_;
  uint64_t at_ = 0;
  Extended extended_;
  bool announces_ = false;  // a header says something of a member that is still to come
  std::vector<ArchiveMember> members_;
};

}  // namespace

bool LooksLikeTar(std::string_view start) {
  return start.size() >= kBlock && start.substr(kMagicAt).starts_with(kMagic);
}

StatusOr<std::vector<ArchiveMember>> ListTar(std::string_view bytes, LeftOut& left_out) {
  return TarReader(bytes, left_out).Read();
}

}  // namespace facegate
