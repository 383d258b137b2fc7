#include "face/base/utf8.h"

#include <gtest/gtest.h>

namespace facegate {
namespace {

TEST(Utf8Test, IsWellFormedTextAlone) {
  for (const std::string_view good : {"", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                      "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(good)) << good;
  }
  for (const std::string_view bad :
       {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff",
        "a\xe2\x82", "\xf0\x80\x80\x80", "\xc3\x28"}) {
    EXPECT_FALSE(IsUtf8(bad)) << ::testing::PrintToString(bad);
  }
}

TEST(Utf8Test, LettersHaveTheirBytes) {
  EXPECT_EQ(Utf8LetterBytes("ab"), 1U);
  EXPECT_EQ(Utf8LetterBytes("\xe6\x9e\x97\xff"), 3U);
  EXPECT_EQ(Utf8LetterBytes("\xff"), 0U);
}

}  // namespace
}  // namespace facegate
