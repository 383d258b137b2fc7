#include "index/store/envelope.h"

#include <fmt/format.h>

#include <optional>

#include "face/base/coding.h"
#include "index/store/corrupt.h"

namespace facegate {
namespace {

constexpr uint8_t kVersion = 2;
constexpr uint8_t kVersionOfShortKeyIds = 1;
constexpr size_t kCrcBytes = 4;
constexpr size_t kOverhead = 1 + 1 + 8 + 1 + kCrcBytes;
constexpr size_t kSmallestEnvelope = 1 + 1 + 4 + 1 + kCrcBytes;  // of version 1

uint32_t BoundCrc(Family family, std::string_view key, std::string_view envelope) {
  const char number = static_cast<char>(family);
  return Crc32c(envelope, Crc32c(key, Crc32c({&number, 1})));
}

// What stands before the nonce.
struct Header {
  uint8_t version = 0;
  uint8_t cipher = 0;
  uint64_t key_id = 0;
  uint8_t nonce_size = 0;
};

// Drops it from `rest`, which has kSmallestEnvelope bytes without the sum.
StatusOr<Header> TakeHeader(std::string_view& rest) {
  Header header{.version = *TakeLittleEndian<uint8_t>(rest),
                .cipher = *TakeLittleEndian<uint8_t>(rest)};
  if (header.version == kVersionOfShortKeyIds) {
    header.key_id = *TakeLittleEndian<uint32_t>(rest);
  } else if (header.version == kVersion) {
    const std::optional<uint64_t> key_id = TakeLittleEndian<uint64_t>(rest);
    if (!key_id.has_value() || rest.empty()) {
      return Corrupt(
          fmt::format("value of envelope version {} has less than {} bytes", kVersion, kOverhead));
    }
    header.key_id = *key_id;
  } else {
    return FailedPrecondition(
        fmt::format("value has envelope version {}, this program reads versions {} and {}",
                    header.version, kVersionOfShortKeyIds, kVersion));
  }
  header.nonce_size = *TakeLittleEndian<uint8_t>(rest);
  return header;
}

}  // namespace

std::string SealEnvelope(Family family, std::string_view key, std::string_view payload) {
  std::string value;
  value.reserve(kOverhead + payload.size());
  AppendLittleEndian(value, kVersion);
  AppendLittleEndian(value, static_cast<uint8_t>(Cipher::kNone));
  AppendLittleEndian(value, uint64_t{0});
  AppendLittleEndian(value, uint8_t{0});
  value.append(payload);
  AppendLittleEndian(value, BoundCrc(family, key, value));
  return value;
}

StatusOr<std::string_view> OpenEnvelope(Family family, std::string_view key,
                                        std::string_view value) {
  if (value.size() < kSmallestEnvelope) {
    return Corrupt(
        fmt::format("value has {} bytes, expected at least {}", value.size(), kSmallestEnvelope));
  }
  std::string_view tail = value.substr(value.size() - kCrcBytes);
  std::string_view rest = value.substr(0, value.size() - kCrcBytes);
  if (TakeLittleEndian<uint32_t>(tail) != BoundCrc(family, key, rest)) {
    return Corrupt("checksum does not match");
  }
  // The sum has matched: what is odd from here on was written so, by a later version most likely.
  FACEGATE_ASSIGN_OR_RETURN(const Header header, TakeHeader(rest));
  if (header.cipher != static_cast<uint8_t>(Cipher::kNone)) {
    return FailedPrecondition(
        fmt::format("value is encrypted (cipher {}, key {}), this program reads plain values only",
                    header.cipher, header.key_id));
  }
  if (header.key_id != 0 || header.nonce_size != 0) {
    return Corrupt(fmt::format("plain value names key {} and a nonce of {} bytes, expected neither",
                               header.key_id, header.nonce_size));
  }
  return rest;
}

}  // namespace facegate
