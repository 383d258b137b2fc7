#include "index/resource_id.h"

#include <gtest/gtest.h>

#include <string>

#include "tests/support/status_matchers.h"

namespace facegate {
namespace {

using namespace std::string_literals;

TEST(ResourceIdTest, TakesWhatThePatternTakes) {
  for (const std::string& id : {"a"s, "0"s, "Z9"s, "a.b_c-D"s, "a.."s, std::string(128, 'x')}) {
    EXPECT_THAT(CheckResourceId(id, "collection_id"), IsOk());
    EXPECT_TRUE(IsResourceId(id));
  }
}

TEST(ResourceIdTest, RefusesEverythingElseAtTheField) {
  for (const std::string& id : {""s, ".a"s, "-a"s, "_a"s, "a b"s, "a/b"s, "a\0b"s, "a\n"s,
                                "\xc3\xa9"s, "a\xff"s, "a:b"s, std::string(129, 'x')}) {
    const Status status = CheckResourceId(id, "identity_id");
    EXPECT_THAT(status, RefusedWith(Reason::kInvalidField));
    EXPECT_EQ(FieldOf(status), "identity_id");
    EXPECT_FALSE(IsResourceId(id));
  }
}

TEST(ResourceIdTest, DoesNotRepeatTheId) {
  const Status status = CheckResourceId("Jane Doe", "identity_id");
  EXPECT_EQ(MessageOf(status).find("Jane"), std::string_view::npos);
  EXPECT_NE(MessageOf(status).find("byte 4"), std::string_view::npos);
}

}  // namespace
}  // namespace facegate
