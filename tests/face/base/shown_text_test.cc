#include "face/base/shown_text.h"

#include <gtest/gtest.h>

namespace facegate {
namespace {

TEST(ShownTextTest, WhatCommandsATerminalIsEscapedWhereItStands) {
  EXPECT_EQ(ShownText("left out: a\x1b[2J.png, \xc2\x9b, \xc2"),
            "left out: a\\x1b[2J.png, \\xc2\\x9b, \\xc2");
  EXPECT_EQ(ShownText("\xb9\xfa.png"), "\\xb9\\xfa.png");  // GBK
  EXPECT_EQ(ShownText("\xc3\xa4 \xe6\x9e\x97 \xf0\x9f\x98\x80"),
            "\xc3\xa4 \xe6\x9e\x97 \xf0\x9f\x98\x80");
}

TEST(ShownTextTest, LineEndsStayWhereSeveralLinesMay) {
  EXPECT_EQ(ShownText("a\n\tb\r"), "a\n\tb\\x0d");
  EXPECT_EQ(ShownLine("a\n\tb"), "a\\x0a\\x09b");
}

}  // namespace
}  // namespace facegate
