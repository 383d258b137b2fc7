#include "trainer/photos/shown_name.h"

#include <gtest/gtest.h>

namespace facegate {
namespace {

TEST(ShownNameTest, TextStaysAsItIs) {
  for (const char* name : {"anna/1.png", "my \"photos\"", "a\\b", "\xc3\xa4\xe6\x9e\x97", ""}) {
    EXPECT_EQ(ShownName(name), name);
  }
}

TEST(ShownNameTest, WhatCommandsATerminalIsQuoted) {
  EXPECT_EQ(ShownName("a\x1b[2J"), R"("a\x1b[2J")");
  EXPECT_EQ(ShownName("a\nb\x7f"), R"("a\x0ab\x7f")");
  EXPECT_EQ(ShownName("a\xc2\x9b"), R"("a\xc2\x9b")");  // U+009B begins a command too
  EXPECT_EQ(ShownName("a\xff"), R"("a\xff")");
}

TEST(ShownNameTest, NamesWithoutEndAreCut) {
  EXPECT_EQ(ShownName(std::string(1024, 'a')).size(), 1024u);
  EXPECT_LT(ShownName(std::string(1025, 'a')).size(), 80u);
}

TEST(ShownNameTest, QuotesStandOnce) {
  EXPECT_EQ(ShownInQuotes("Path"), "\"Path\"");
  EXPECT_EQ(ShownInQuotes("\x1b"), R"("\x1b")");
}

}  // namespace
}  // namespace facegate
