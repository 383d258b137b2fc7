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

}  // namespace
}  // namespace facegate
