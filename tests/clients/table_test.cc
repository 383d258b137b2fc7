#include "clients/cli/table.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <sstream>

#include "clients/cli/progress.h"

namespace facegate::cli {
namespace {

using ::testing::HasSubstr;
using ::testing::Not;

TEST(TableTest, AlignsColumnsAndCountsCharactersNotBytes) {
  Table table({{"NAME"}, {"COUNT", Table::Align::kRight}});
  table.AddRow({"Jos\xC3\xA9", "7"});
  table.AddRow({"A"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(), "NAME  COUNT\nJos\xC3\xA9      7\nA\n");
}

TEST(TableTest, AlignsCharactersOfTwoColumns) {
  Table table({{"NAME"}, {"N"}});
  table.AddRow({"\xE5\xBC\xA0\xE4\xBC\x9F!", "1"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(), "NAME   N\n\xE5\xBC\xA0\xE4\xBC\x9F!  1\n");
}

TEST(TableTest, WrapsWhatTheTerminalIsTooNarrowFor) {
  Table table({WrappedColumn("PHOTO"), {"N", Table::Align::kRight}, WrappedColumn("MESSAGE")});
  table.AddRow({"photos/anna/front.jpg", "12", "no face was found in it"});
  std::ostringstream out;
  table.Print(out, 30);
  EXPECT_EQ(out.str(),
            "PHOTO          N  MESSAGE\n"
            "photos/anna/  12  no face was\n"
            "front.jpg         found in it\n");
}

TEST(TableTest, LeavesOutOptionalColumnsBeforeItWraps) {
  Table table({{"IDENTITY"}, OptionalColumn("CREATED"), WrappedColumn("LABELS")});
  table.AddRow({"1017", "2026-11-22T10:00Z", "badge=77, room=4"});
  std::ostringstream out;
  table.Print(out, 40);
  EXPECT_EQ(out.str(),
            "IDENTITY  LABELS\n"
            "1017      badge=77, room=4\n"
            "(too narrow for CREATED; --json has all)\n");
}

TEST(TableTest, CutsNothingAndIsAsWideAsItMustBeWhereNothingWraps) {
  Table table({{"IDENTITY"}, WrappedColumn("PATH")});
  table.AddRow({std::string(30, 'i'), std::string(20, 'p')});
  std::ostringstream out;
  table.Print(out, 10);
  EXPECT_EQ(out.str(), "IDENTITY                        PATH\n" + std::string(30, 'i') +
                           "  pppppppp\n" + std::string(32, ' ') + "pppppppp\n" +
                           std::string(32, ' ') + "pppp\n");
}

TEST(TableTest, LetsNoControlCharacterThrough) {
  Table table({{"FILE"}});
  table.AddRow({"a\x1b[2Jb\n"});
  std::ostringstream out;
  table.Print(out);
  EXPECT_EQ(out.str(), "FILE\na?[2Jb?\n");
}

TEST(ProgressTest, ShowsRateAndTimeLeft) {
  EXPECT_EQ(ProgressLine(50, 100, 2, 10.0),
            "[############............] 50/100  50%  5.0/s  0:10 left  2 failed");
  EXPECT_THAT(ProgressLine(0, 100, 0, 0.0), HasSubstr("0/100  0%  0.0/s"));
  EXPECT_THAT(ProgressLine(100, 100, 0, 10.0), Not(HasSubstr("left")));
  EXPECT_THAT(ProgressLine(1, 10'000, 0, 1.0), HasSubstr("2:46:39 left"));
}

TEST(ProgressTest, RedrawsItsLineOnATerminalAlone) {
  std::ostringstream terminal;
  Progress drawn(terminal, true, 1);
  drawn.Advance(true);
  drawn.Finish();
  EXPECT_THAT(terminal.str(), HasSubstr("\r["));
  std::ostringstream file;
  Progress plain(file, false, 1);
  plain.Advance(true);
  plain.Finish();
  EXPECT_THAT(file.str(), Not(HasSubstr("\r")));
  EXPECT_THAT(file.str(), HasSubstr("1/1  100%"));
}

}  // namespace
}  // namespace facegate::cli
