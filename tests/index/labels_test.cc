#include "index/labels.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <string_view>
#include <vector>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

// Refused at the field "labels", in words that repeat nothing of the client's.
void ExpectRefused(const Labels& labels, std::string_view secret) {
  const Status status = CheckLabels(labels);
  EXPECT_THAT(status, RefusedWith(Reason::kInvalidField));
  EXPECT_EQ(FieldOf(status), "labels");
  EXPECT_THAT(std::string(MessageOf(status)), Not(HasSubstr(std::string(secret))));
}

Labels OfValue(std::string value) { return {{"k", std::move(value)}}; }

TEST(LabelsTest, TakesKeysOfThePattern) {
  for (const std::string& key : {std::string("a"), std::string("z9._-"), std::string("a..b"),
                                 std::string("site"), "a" + std::string(62, '-')}) {
    EXPECT_TRUE(IsLabelKey(key)) << key;
  }
}

TEST(LabelsTest, RefusesOtherKeys) {
  for (const std::string& key :
       {std::string(), std::string("A"), std::string("aB"), std::string("0a"), std::string("_a"),
        std::string("-a"), std::string(".a"), std::string("a b"), std::string("a/b"),
        std::string("a\n"), std::string("a\0", 2), std::string("ä"), std::string("aé"),
        "a" + std::string(63, 'b')}) {
    EXPECT_FALSE(IsLabelKey(key)) << key;
  }
}

TEST(LabelsTest, TakesAtMost64) {
  Labels labels;
  for (size_t i = 0; i < kMaxLabels; ++i) labels["k" + std::to_string(i)] = "";
  EXPECT_THAT(CheckLabels(labels), IsOk());
  labels["one-more"] = "";
  ExpectRefused(labels, "one-more");
  EXPECT_THAT(CheckLabels({}), IsOk());
}

TEST(LabelsTest, RefusesABadKeyAmongGoodOnes) {
  ExpectRefused({{"a", "1"}, {"Jane", "2"}, {"z", "3"}}, "Jane");
}

TEST(LabelsTest, CountsBytesOfValuesNotCharacters) {
  EXPECT_THAT(CheckLabels(OfValue(std::string(kMaxLabelValueBytes, 'x'))), IsOk());
  ExpectRefused(OfValue(std::string(kMaxLabelValueBytes + 1, 'x')), "xxx");
  std::string two_bytes_each;
  for (size_t i = 0; i < kMaxLabelValueBytes / 2; ++i) two_bytes_each += "ß";
  EXPECT_THAT(CheckLabels(OfValue(two_bytes_each)), IsOk());
  ExpectRefused(OfValue(two_bytes_each + "x"), "ß");
}

// The first and last code point of each length of UTF-8, and those around the surrogates.
TEST(LabelsTest, TakesEveryLengthOfUtf8) {
  for (const char* value :
       {"", " ", "~", "Zürich", "\xC2\xA0", "\xDF\xBF", "\xE0\xA0\x80", "\xED\x9F\xBF",
        "\xEE\x80\x80", "\xEF\xBF\xBD", "\xF0\x90\x80\x80", "\xF4\x8F\xBF\xBF", "日本", "😀"}) {
    EXPECT_THAT(CheckLabels(OfValue(value)), IsOk()) << value;
  }
}

TEST(LabelsTest, RefusesWhatIsNoUtf8) {
  const std::vector<std::string> values{
      "\x80",              // a continuation byte alone
      "\xBF\xBF",          //
      "\xC2",              // cut off
      "\xE2\x82",          //
      "\xF0\x9F\x98",      //
      "\xC2x",             // followed by something else
      "\xE2\x82x",         //
      "\xC0\xA0",          // longer than needed: a space in two bytes
      "\xC1\xBF",          //
      "\xE0\x9F\xBF",      //
      "\xF0\x8F\xBF\xBF",  //
      "\xED\xA0\x80",      // surrogates
      "\xED\xBF\xBF",      //
      "\xF4\x90\x80\x80",  // above U+10FFFF
      "\xF7\xBF\xBF\xBF",  //
      "\xF8\x88\x80\x80\x80",
      "\xFE",
      "\xFF",
  };
  for (const std::string& value : values) {
    ExpectRefused(OfValue("Jane" + value), "Jane");
    ExpectRefused(OfValue(value + "Jane"), "Jane");
  }
}

TEST(LabelsTest, RefusesControlCharacters) {
  for (int byte = 0; byte < 0x20; ++byte) {
    ExpectRefused(OfValue("Jane" + std::string(1, static_cast<char>(byte))), "Jane");
  }
  ExpectRefused(OfValue("Jane\x7F"), "Jane");
  ExpectRefused(OfValue("Jane\xC2\x80"), "Jane");  // U+0080
  ExpectRefused(OfValue("Jane\xC2\x9F"), "Jane");  // U+009F
}

// Marks with which a text reads otherwise than it is, or that cannot be seen.
TEST(LabelsTest, RefusesInvisibleMarksButTakesThemFromTheStore) {
  const std::vector<std::string> marks{
      "\xE2\x80\xAE",      // U+202E right-to-left override
      "\xE2\x80\xAA",      // U+202A
      "\xE2\x81\xA6",      // U+2066 left-to-right isolate
      "\xE2\x81\xA9",      // U+2069
      "\xE2\x80\x8E",      // U+200E left-to-right mark
      "\xE2\x80\x8F",      // U+200F
      "\xD8\x9C",          // U+061C Arabic letter mark
      "\xEF\xBB\xBF",      // U+FEFF byte order mark
      "\xE2\x80\x8B",      // U+200B zero width space
      "\xC2\xAD",          // U+00AD soft hyphen
      "\xE2\x80\xA8",      // U+2028 line separator
      "\xF3\xA0\x81\x81",  // U+E0041 tag
  };
  for (const std::string& mark : marks) {
    ExpectRefused(OfValue("Jane" + mark + "Doe"), "Jane");
    EXPECT_THAT(CheckStoredLabels(OfValue("Jane" + mark)), IsOk());
  }
}

TEST(LabelsTest, TakesJoinersAndTextFromRightToLeft) {
  for (const char* value : {"\xD9\x85\xDB\x8C\xE2\x80\x8C\xD8\xAE\xD9\x88",  // with U+200C
                            "👩\xE2\x80\x8D🔬", "עברית", "\xE2\x80\xA7", "\xE2\x80\xAF"}) {
    EXPECT_THAT(CheckLabels(OfValue(value)), IsOk()) << value;
  }
}

}  // namespace
}  // namespace facegate
