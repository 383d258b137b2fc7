#include "server/rpc/page_token.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

TEST(PageTokenTest, ComesBackAsItWas) {
  std::string after;
  for (int length = 1; length <= 128; ++length) {
    after.push_back(static_cast<char>('A' + length % 26));
    const std::string token = MakePageToken({"List", "staff"}, after);
    FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string parsed,
                                  ParsePageToken({"List", "staff"}, token));
    EXPECT_EQ(parsed, after);
    EXPECT_EQ(token.find_first_not_of("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                      "0123456789-_"),
              std::string::npos)
        << "it must be safe in a URL";
  }
}

TEST(PageTokenTest, AnEmptyTokenBeginsAtTheStart) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string after, ParsePageToken({"List"}, ""));
  EXPECT_EQ(after, "");
}

TEST(PageTokenTest, IsBoundToItsRequest) {
  const std::string token = MakePageToken({"List", "ab", "c"}, "7");
  EXPECT_THAT(ParsePageToken({"List", "ab", "c"}, token), IsOk());
  EXPECT_THAT(ParsePageToken({"List", "ab"}, token), RefusedWith(Reason::kInvalidField));
  EXPECT_THAT(ParsePageToken({"List", "a", "bc"}, token), RefusedWith(Reason::kInvalidField));
  EXPECT_THAT(ParsePageToken({"Tsil", "ab", "c"}, token), RefusedWith(Reason::kInvalidField));
}

TEST(PageTokenTest, RefusesEachTruncation) {
  const std::string token = MakePageToken({"List"}, "identity-17");
  for (size_t length = 1; length < token.size(); ++length) {
    EXPECT_THAT(ParsePageToken({"List"}, token.substr(0, length)),
                RefusedWith(Reason::kInvalidField))
        << length;
  }
}

TEST(PageTokenTest, RefusesEachChangedCharacter) {
  const std::string token = MakePageToken({"List"}, "identity-17");
  for (size_t i = 0; i < token.size(); ++i) {
    for (const char other : {'A', 'z', '0', '-', '+', '/', '=', ' ', '\0', '\xff'}) {
      if (token[i] == other) continue;
      std::string changed = token;
      changed[i] = other;
      const auto parsed = ParsePageToken({"List"}, changed);
      EXPECT_THAT(parsed, RefusedWith(Reason::kInvalidField)) << i << " " << other;
      EXPECT_EQ(FieldOf(parsed.status()), "page_token");
    }
  }
}

TEST(PageTokenTest, RefusesWhatIsMuchTooLong) {
  EXPECT_THAT(ParsePageToken({"List"}, std::string(1 << 20, 'A')),
              RefusedWith(Reason::kInvalidField));
  EXPECT_THAT(ParsePageToken({"List"}, MakePageToken({"List"}, std::string(1000, 'a'))),
              RefusedWith(Reason::kInvalidField));
}

}  // namespace
}  // namespace facegate
