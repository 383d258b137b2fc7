#include "trainer/photos/wire_reader.h"

#include "face/base/coding.h"

namespace facegate {
namespace {

constexpr int kMostVarintBytes = 10;
constexpr uint64_t kTypeMask = 7;

enum WireType : uint64_t { kVarint = 0, kFixed64 = 1, kLength = 2, kFixed32 = 5 };

// Reads what follows a tag of the type; false where it is not there.
bool TakeValue(uint64_t type, std::string_view& bytes, WireReader::Field& field) {
  std::optional<uint64_t> number;
  switch (type) {
    case kFixed64:
      number = TakeLittleEndian<uint64_t>(bytes);
      break;
    case kFixed32:
      number = TakeLittleEndian<uint32_t>(bytes);
      break;
    case kVarint:
    case kLength:
      number = TakeVarint(bytes);
      break;
    default:
      return false;
  }
  if (!number.has_value()) return false;
  field.has_length = type == kLength;
  if (!field.has_length) {
    field.value = *number;
    return true;
  }
  if (*number > bytes.size()) return false;
  field.bytes = bytes.substr(0, *number);
  bytes.remove_prefix(*number);
  return true;
}

}  // namespace

std::optional<uint64_t> TakeVarint(std::string_view& bytes) {
  uint64_t value = 0;
  for (int i = 0; i < kMostVarintBytes && !bytes.empty(); ++i) {
    const auto byte = static_cast<unsigned char>(bytes.front());
    bytes.remove_prefix(1);
    value |= uint64_t{byte & 0x7fU} << (7 * i);
    if ((byte & 0x80U) == 0) return value;
  }
  return std::nullopt;
}

std::optional<WireReader::Field> WireReader::Next() {
  if (rest_.empty() || failed_) return std::nullopt;
  const std::optional<uint64_t> tag = TakeVarint(rest_);
  Field field{.number = tag.value_or(0) >> 3, .bytes = {}};
  failed_ = field.number == 0 || !TakeValue(*tag & kTypeMask, rest_, field);
  if (failed_) return std::nullopt;
  return field;
}

}  // namespace facegate
