#include "index/request_id.h"

#include <gtest/gtest.h>

#include <algorithm>
#include <cctype>
#include <string>

namespace facegate {
namespace {

constexpr char kText[] = "01234567-89ab-cdef-8081-f2f3f4f5f6f7";

TEST(RequestIdTest, ReadsTheBytesInTheOrderOfTheText) {
  const RequestId id{{0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef, 0x80, 0x81, 0xf2, 0xf3, 0xf4,
                      0xf5, 0xf6, 0xf7}};
  EXPECT_EQ(ParseRequestId(kText), id);
}

TEST(RequestIdTest, TakesEitherCaseAsTheSameId) {
  std::string upper = kText;
  std::transform(upper.begin(), upper.end(), upper.begin(),
                 [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
  ASSERT_NE(upper, kText);
  EXPECT_EQ(ParseRequestId(upper), ParseRequestId(kText));
}

TEST(RequestIdTest, TakesAnyVariantButNotAllZeros) {
  EXPECT_TRUE(ParseRequestId("ffffffff-ffff-ffff-ffff-ffffffffffff").has_value());
  EXPECT_TRUE(ParseRequestId("00000000-0000-0000-0000-000000000001").has_value());
  EXPECT_TRUE(ParseRequestId("10000000-0000-0000-0000-000000000000").has_value());
  EXPECT_FALSE(ParseRequestId("00000000-0000-0000-0000-000000000000").has_value());
}

TEST(RequestIdTest, RefusesOtherLengths) {
  const std::string text = kText;
  for (size_t size = 0; size < text.size(); ++size) {
    EXPECT_FALSE(ParseRequestId(text.substr(0, size)).has_value()) << size;
  }
  EXPECT_FALSE(ParseRequestId(text + "0").has_value());
  EXPECT_FALSE(ParseRequestId(text + '\0').has_value());
  EXPECT_FALSE(ParseRequestId(" " + text).has_value());
  EXPECT_FALSE(ParseRequestId("{" + text + "}").has_value());
  EXPECT_FALSE(ParseRequestId("urn:uuid:" + text).has_value());
  EXPECT_FALSE(ParseRequestId("0123456789abcdef8081f2f3f4f5f6f7").has_value());
}

// Each place of the text, with each byte that does not belong there.
TEST(RequestIdTest, RefusesAnyWrongByteInAnyPlace) {
  const std::string text = kText;
  for (size_t at = 0; at < text.size(); ++at) {
    for (int byte = 0; byte < 256; ++byte) {
      const auto c = static_cast<char>(byte);
      const bool digit = byte < 128 && std::isxdigit(byte) != 0;
      const bool right = text[at] == '-' ? c == '-' : digit;
      std::string changed = text;
      changed[at] = c;
      EXPECT_EQ(ParseRequestId(changed).has_value(), right) << at << ": " << byte;
    }
  }
}

}  // namespace
}  // namespace facegate
