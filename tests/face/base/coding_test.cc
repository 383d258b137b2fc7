#include "face/base/coding.h"

#include <gtest/gtest.h>

#include "face/base/sha256.h"

namespace facegate {
namespace {

TEST(CodingTest, FixedWidthNumbersRoundTripInBothOrders) {
  std::string bytes;
  AppendLittleEndian<uint32_t>(bytes, 0x01020304u);
  AppendBigEndian<uint64_t>(bytes, 0x0102030405060708u);
  EXPECT_EQ(bytes, std::string("\x04\x03\x02\x01\x01\x02\x03\x04\x05\x06\x07\x08", 12));
  std::string_view rest = bytes;
  EXPECT_EQ(TakeLittleEndian<uint32_t>(rest), 0x01020304u);
  EXPECT_EQ(TakeBigEndian<uint64_t>(rest), 0x0102030405060708u);
  EXPECT_TRUE(rest.empty());
}

TEST(CodingTest, TooFewBytesGiveNothingAndConsumeNothing) {
  std::string_view rest("abc");
  EXPECT_EQ(TakeLittleEndian<uint32_t>(rest), std::nullopt);
  EXPECT_EQ(rest, "abc");
}

TEST(CodingTest, BigEndianKeysSortLikeTheirNumbers) {
  std::string low;
  std::string high;
  AppendBigEndian<uint64_t>(low, 255);
  AppendBigEndian<uint64_t>(high, 256);
  EXPECT_LT(low, high);
}

TEST(CodingTest, Crc32cMatchesRfc3720) {
  EXPECT_EQ(Crc32c("123456789"), 0xe3069283u);
  EXPECT_EQ(Crc32c(std::string(32, '\0')), 0x8a9136aau);
  EXPECT_EQ(Crc32c(std::string(32, '\xff')), 0x62a8ab43u);
}

// Single bytes go another way through the code than eight at once.
TEST(CodingTest, Crc32cOfPiecesIsThatOfTheWhole) {
  std::string bytes;
  uint32_t by_bytes = 0;
  for (int i = 0; i < 100; ++i) {
    ASSERT_EQ(Crc32c(bytes), by_bytes) << i;
    for (size_t cut = 0; cut <= bytes.size(); cut += 7) {
      ASSERT_EQ(Crc32c(bytes.substr(cut), Crc32c(bytes.substr(0, cut))), by_bytes) << cut;
    }
    bytes.push_back(static_cast<char>(i * 151 + 200));
    by_bytes = Crc32c(bytes.substr(bytes.size() - 1), by_bytes);
  }
}

TEST(Sha256Test, MatchesFips180Examples) {
  EXPECT_EQ(Sha256Hex("abc"), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  Sha256 pieces;
  pieces.Update("a");
  pieces.Update("bc");
  EXPECT_EQ(pieces.HexDigest(), Sha256Hex("abc"));
}

}  // namespace
}  // namespace facegate
