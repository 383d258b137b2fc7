#pragma once

#include <array>
#include <bit>
#include <concepts>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string>
#include <string_view>

namespace facegate {

// Fixed-width integers in bytes. Little-endian unless the order of keys matters, then big-endian.
template <std::unsigned_integral T>
void AppendLittleEndian(std::string& out, T value) {
  for (size_t i = 0; i < sizeof(T); ++i) {
    out.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i) & 0xff));
  }
}

template <std::unsigned_integral T>
void AppendBigEndian(std::string& out, T value) {
  for (size_t i = sizeof(T); i-- > 0;) {
    out.push_back(static_cast<char>(static_cast<uint64_t>(value) >> (8 * i) & 0xff));
  }
}

// Reads a number from the front of `in` and drops it; nullopt, with `in` untouched, when too few
// bytes are left.
template <std::unsigned_integral T>
std::optional<T> TakeLittleEndian(std::string_view& in) {
  if (in.size() < sizeof(T)) return std::nullopt;
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value |= static_cast<uint64_t>(static_cast<unsigned char>(in[i])) << (8 * i);
  }
  in.remove_prefix(sizeof(T));
  return static_cast<T>(value);
}

template <std::unsigned_integral T>
std::optional<T> TakeBigEndian(std::string_view& in) {
  if (in.size() < sizeof(T)) return std::nullopt;
  uint64_t value = 0;
  for (size_t i = 0; i < sizeof(T); ++i) {
    value = value << 8 | static_cast<unsigned char>(in[i]);
  }
  in.remove_prefix(sizeof(T));
  return static_cast<T>(value);
}

// CRC-32C (Castagnoli, reflected polynomial 0x82f63b78; RFC 3720 appendix B.4). Crc32c("123456789")
// = 0xe3069283. `preceding` is the sum of the bytes before these: Crc32c(b, Crc32c(a)) is that of a
// and b joined.
uint32_t Crc32c(std::string_view bytes, uint32_t preceding = 0);

// The sum as TFRecord files store it: turned by 15 bits and shifted by a constant
// (tensorflow.org/tutorials/load_data/tfrecord).
constexpr uint32_t MaskedCrc(uint32_t crc32c) { return std::rotr(crc32c, 15) + 0xa282ead8U; }

// Lower-case hexadecimal.
std::string ToHex(std::string_view bytes);

}  // namespace facegate
