#include "face/base/coding.h"

namespace facegate {
namespace {

constexpr size_t kSlices = 8;
using CrcTables = std::array<std::array<uint32_t, 256>, kSlices>;

// Table n has the sums of a byte that n zero bytes follow, so that eight bytes are summed at once
// (M. Kounavis and F. Berry, "Novel Table Lookup-Based Algorithms for High-Performance CRC
// Generation", 2008).
constexpr CrcTables MakeCrcTables() {
  CrcTables tables{};
  for (uint32_t i = 0; i < 256; ++i) {
    uint32_t value = i;
    for (int bit = 0; bit < 8; ++bit) {
      value = (value & 1) != 0 ? value >> 1 ^ 0x82f63b78u : value >> 1;
    }
    tables[0][i] = value;
  }
  for (size_t slice = 1; slice < kSlices; ++slice) {
    for (size_t i = 0; i < 256; ++i) {
      const uint32_t shorter = tables[slice - 1][i];
      tables[slice][i] = shorter >> 8 ^ tables[0][shorter & 0xff];
    }
  }
  return tables;
}

constexpr CrcTables kCrcTables = MakeCrcTables();

}  // namespace

uint32_t Crc32c(std::string_view bytes, uint32_t preceding) {
  uint32_t crc = preceding ^ 0xffffffffu;
  while (bytes.size() >= kSlices) {
    const uint64_t eight = *TakeLittleEndian<uint64_t>(bytes) ^ crc;
    crc = kCrcTables[7][eight & 0xff] ^ kCrcTables[6][eight >> 8 & 0xff] ^
          kCrcTables[5][eight >> 16 & 0xff] ^ kCrcTables[4][eight >> 24 & 0xff] ^
          kCrcTables[3][eight >> 32 & 0xff] ^ kCrcTables[2][eight >> 40 & 0xff] ^
          kCrcTables[1][eight >> 48 & 0xff] ^ kCrcTables[0][eight >> 56];
  }
  for (const char c : bytes) {
    crc = crc >> 8 ^ kCrcTables[0][(crc ^ static_cast<unsigned char>(c)) & 0xff];
  }
  return crc ^ 0xffffffffu;
}

std::string ToHex(std::string_view bytes) {
  constexpr char kDigits[] = "0123456789abcdef";
  std::string hex;
  hex.reserve(2 * bytes.size());
  for (const char c : bytes) {
    hex.push_back(kDigits[static_cast<unsigned char>(c) >> 4]);
    hex.push_back(kDigits[static_cast<unsigned char>(c) & 0xf]);
  }
  return hex;
}

}  // namespace facegate
