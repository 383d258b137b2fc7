#include "index/store/envelope.h"

#include <fmt/format.h>

#include "face/base/coding.h"
#include "index/store/corrupt.h"

namespace facegate {
namespace {

constexpr uint8_t kVersion = 1;
constexpr size_t kCrcBytes = 4;
constexpr size_t kSmallestEnvelope = 1 + 1 + 4 + 1 + kCrcBytes;

uint32_t BoundCrc(Family family, std::string_view key, std::string_view envelope) {
  const char number = static_cast<char>(family);
  return Crc32c(envelope, Crc32c(key, Crc32c({&number, 1})));
}

}  // namespace

std::string SealEnvelope(Family family, std::string_view key, std::string_view payload) {
  std::string value;
  value.reserve(kSmallestEnvelope + payload.size());
  AppendLittleEndian(value, kVersion);
  AppendLittleEndian(value, static_cast<uint8_t>(Cipher::kNone));
  AppendLittleEndian(value, uint32_t{0});
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
  const uint8_t version = *TakeLittleEndian<uint8_t>(rest);
  const uint8_t cipher = *TakeLittleEndian<uint8_t>(rest);
  const uint32_t key_id = *TakeLittleEndian<uint32_t>(rest);
  const uint8_t nonce_size = *TakeLittleEndian<uint8_t>(rest);
  if (version != kVersion) {
    return FailedPrecondition(fmt::format(
        "value has envelope version {}, this program reads version {}", version, kVersion));
  }
  if (cipher != static_cast<uint8_t>(Cipher::kNone)) {
    return FailedPrecondition(
        fmt::format("value is encrypted (cipher {}, key {}), this program reads plain values only",
                    cipher, key_id));
  }
  if (key_id != 0 || nonce_size != 0) {
    return Corrupt(fmt::format("plain value names key {} and a nonce of {} bytes, expected neither",
                               key_id, nonce_size));
  }
  return rest;
}

}  // namespace facegate
