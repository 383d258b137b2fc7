#include "trainer/photos/text_table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

constexpr Separator kAll[] = {Separator::kComma,  Separator::kSemicolon,  Separator::kTab,
                              Separator::kBlanks, Separator::kFirstBlank, Separator::kLastBlank,
                              Separator::kNone};

std::vector<std::vector<std::string>> Fields(std::string_view text, Separator separator) {
  std::vector<std::vector<std::string>> fields;
  EXPECT_THAT(ForEachRow(text, separator,
                         [&](const TextRow& row) {
                           fields.push_back(row.fields);
                           return OkStatus();
                         }),
              IsOk());
  return fields;
}

TEST(TextTableTest, ReadsTheExamplesOfRfc4180) {
  EXPECT_THAT(Fields("aaa,bbb,ccc\r\nzzz,yyy,xxx", Separator::kComma),
              ElementsAre(ElementsAre("aaa", "bbb", "ccc"), ElementsAre("zzz", "yyy", "xxx")));
  EXPECT_THAT(Fields("\"aaa\",\"b\r\nbb\",\"c,c\"\r\n", Separator::kComma),
              ElementsAre(ElementsAre("aaa", "b\r\nbb", "c,c")));
  EXPECT_THAT(Fields("\"a\"\"b\";;", Separator::kSemicolon),
              ElementsAre(ElementsAre("a\"b", "", "")));
}

TEST(TextTableTest, SplitsAtBlanksAsItIsTold) {
  EXPECT_THAT(Fields(" a  b c \n", Separator::kBlanks), ElementsAre(ElementsAre("a", "b", "c")));
  EXPECT_THAT(Fields("a  b c", Separator::kFirstBlank), ElementsAre(ElementsAre("a", "b c")));
  EXPECT_THAT(Fields("a b \t c", Separator::kLastBlank), ElementsAre(ElementsAre("a b", "c")));
  EXPECT_THAT(Fields("\"a b\" c", Separator::kBlanks), ElementsAre(ElementsAre("a b", "c")));
  EXPECT_THAT(Fields(" a b ", Separator::kNone), ElementsAre(ElementsAre("a b")));
}

TEST(TextTableTest, LeavesOutEmptyLinesAndCountsLinesWithinQuotes) {
  const auto rows = FirstRows("\n,\n\"a\nb\",1\n\nc,2\n", Separator::kComma, 10);
  ASSERT_THAT(rows, IsOk());
  ASSERT_EQ(rows->size(), 2u);
  EXPECT_EQ((*rows)[0].line, 3u);
  EXPECT_EQ((*rows)[1].line, 6u);
  EXPECT_EQ(FirstRows("a\nb\nc", Separator::kComma, 2)->size(), 2u);
}

TEST(TextTableTest, NamesTheLineOfAWrongQuote) {
  const auto open = FirstRows("a,b\n\"c,d\ne,f\n", Separator::kComma, 10);
  ASSERT_THAT(open, StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(std::string(MessageOf(open.status())), HasSubstr("line 2"));
  EXPECT_THAT(FirstRows("\"a\"b,c\n", Separator::kComma, 10),
              StatusIs(StatusCode::kInvalidArgument));
}

// Any bytes give rows or an error, and each call ends.
TEST(TextTableTest, SurvivesEveryTruncationAndBitFlip) {
  const std::string text = "\"a \"\"b\"\"\",c;d\te f\r\n\"g\rh\";\"\"\n i , j\t\"k\"\r";
  for (const Separator separator : kAll) {
    for (size_t i = 0; i < 9 * text.size(); ++i) {
      std::string wrong = i < text.size() ? text.substr(0, i) : text;
      const size_t bit = i - std::min(i, text.size());
      if (i >= text.size()) {
        wrong[bit / 8] = static_cast<char>(wrong[bit / 8] ^ (1 << (bit % 8)));
      }
      const auto rows = FirstRows(wrong, separator, 100);
      EXPECT_TRUE(rows.ok() || rows.status().code() == StatusCode::kInvalidArgument);
    }
  }
}

}  // namespace
}  // namespace facegate
