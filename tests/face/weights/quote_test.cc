#include "face/weights/quote.h"

#include <gtest/gtest.h>

namespace facegate {
namespace {

TEST(QuoteTest, EscapesWhatATerminalWouldObey) {
  EXPECT_EQ(Quote("conv1.weight"), "\"conv1.weight\"");
  EXPECT_EQ(Quote("a\"b\\c\x1b[2J\n"), R"("a\x22b\x5cc\x1b[2J\x0a")");
  EXPECT_EQ(Quote("\xc3\xa4"), R"("\xc3\xa4")");
}

TEST(QuoteTest, CutsLongNames) {
  const std::string quoted = Quote(std::string(10'000, 'x'));
  EXPECT_LT(quoted.size(), 100U);
  EXPECT_TRUE(quoted.starts_with("\"xxx"));
}

TEST(IsUtf8Test, AcceptsWellFormedTextAlone) {
  for (const std::string_view good : {"", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80",
                                      "\xed\x9f\xbf", "\xf4\x8f\xbf\xbf"}) {
    EXPECT_TRUE(IsUtf8(good)) << Quote(good);
  }
  for (const std::string_view bad :
       {"\x80", "\xc3", "\xc0\xaf", "\xe0\x80\xaf", "\xed\xa0\x80", "\xf4\x90\x80\x80", "\xff",
        "a\xe2\x82", "\xf0\x80\x80\x80", "\xc3\x28"}) {
    EXPECT_FALSE(IsUtf8(bad)) << Quote(bad);
  }
}

}  // namespace
}  // namespace facegate
