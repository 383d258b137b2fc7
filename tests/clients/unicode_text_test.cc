#include "clients/cli/unicode_text.h"

#include <gtest/gtest.h>

namespace facegate::cli {
namespace {

constexpr char kTwoChinese[] = "\xE5\xBC\xA0\xE4\xBC\x9F";

TEST(UnicodeTextTest, LetsNothingThroughThatChangesATerminal) {
  EXPECT_EQ(Printable("a\x1b[2Jb\n"), "a?[2Jb?");
  EXPECT_EQ(Printable("a\xC2\x9B"
                      "31m"),
            "a?31m");  // a control sequence in one character
  EXPECT_EQ(Printable("abc\xE2\x80\xAEgnp.exe"), "abc?gnp.exe");  // right to left from here on
  EXPECT_EQ(Printable("Zo\xEB"), "Zo?");                          // not UTF-8
  EXPECT_EQ(Printable(kTwoChinese), kTwoChinese);
}

TEST(UnicodeTextTest, MeasuresColumns) {
  EXPECT_EQ(DisplayWidth("abc"), 3U);
  EXPECT_EQ(DisplayWidth(kTwoChinese), 4U);
  EXPECT_EQ(DisplayWidth("Zoe\xCC\x88"), 3U);
  EXPECT_EQ(DisplayWidth("\xF0\x9F\x98\x80"), 2U);
}

TEST(UnicodeTextTest, CutsBetweenCharacters) {
  EXPECT_EQ(BytesThatFit(kTwoChinese, 3), 3U);
  EXPECT_EQ(BytesThatFit(kTwoChinese, 1), 3U);  // one at least
  EXPECT_EQ(BytesThatFit("Zoe\xCC\x88!", 3), 5U);
  EXPECT_EQ(CutToBytes(kTwoChinese, 5), "\xE5\xBC\xA0");
}

}  // namespace
}  // namespace facegate::cli
