#pragma once

#include <cstdint>
#include <iterator>
#include <optional>
#include <string>
#include <string_view>

#include "face/base/coding.h"
#include "index/store/key_codec.h"

// The input of record_fuzz.cc:
//
//   input  = choice:u8 key_size:u8 key value
//   choice = the place in kFamilies, modulo their number; bit 7: the value ends in its own
//            checksum, which need not be right. Without bit 7 the target adds the right one: no
//            fuzzer guesses it.
namespace facegate {

inline constexpr uint8_t kHasChecksum = 0x80;

struct StoredRecord {
  Family family = Family::kMeta;
  bool has_checksum = false;
  std::string_view key;
  std::string_view value;
};

inline std::string WriteStoredRecord(const StoredRecord& record) {
  std::string input;
  const int family = static_cast<int>(record.family) - 1;
  AppendLittleEndian(input,
                     static_cast<uint8_t>(family | (record.has_checksum ? kHasChecksum : 0)));
  AppendLittleEndian(input, static_cast<uint8_t>(record.key.size()));
  return input.append(record.key).append(record.value);
}

// Views into `input`. Nothing for an input that is too short for its key.
inline std::optional<StoredRecord> ReadStoredRecord(std::string_view input) {
  const std::optional<uint8_t> choice = TakeLittleEndian<uint8_t>(input);
  const std::optional<uint8_t> key_size = TakeLittleEndian<uint8_t>(input);
  if (!choice || !key_size || *key_size > input.size()) return std::nullopt;
  return StoredRecord{.family = kFamilies[*choice % kHasChecksum % std::size(kFamilies)],
                      .has_checksum = (*choice & kHasChecksum) != 0,
                      .key = input.substr(0, *key_size),
                      .value = input.substr(*key_size)};
}

// The sum at the end of a value, as index/store/FORMAT.md defines it.
inline uint32_t StoredChecksum(Family family, std::string_view key, std::string_view before) {
  const char number = static_cast<char>(family);
  return Crc32c(before, Crc32c(key, Crc32c({&number, 1})));
}

}  // namespace facegate
