#include "trainer/run/status_line.h"

#include <gtest/gtest.h>

#include <sstream>

namespace facegate {
namespace {

constexpr StatusLine::Pace kAtOnce{.silence = {}, .redraw = {}, .plain = {}};
constexpr StatusLine::Pace kNever{.silence = std::chrono::hours(1),
                                  .redraw = std::chrono::hours(1),
                                  .plain = std::chrono::hours(1)};

TEST(StatusLineTest, DrawsOverItselfOnATerminal) {
  std::ostringstream out;
  StatusLine line(out, true, kAtOnce);
  line.Draw("one");
  line.Draw("two");
  line.End();
  EXPECT_EQ(out.str(), "\r\x1b[Kone\r\x1b[Ktwo\n");
}

TEST(StatusLineTest, IsALineEachTimeElsewhere) {
  std::ostringstream out;
  StatusLine line(out, false, kAtOnce);
  line.Draw("one");
  line.Draw("two");
  line.End();
  EXPECT_EQ(out.str(), "one\ntwo\n");
}

TEST(StatusLineTest, MakesRoomForASentence) {
  std::ostringstream out;
  StatusLine line(out, true, kAtOnce);
  line.Draw("one");
  line.Say("warning");
  EXPECT_EQ(out.str(), "\r\x1b[Kone\r\x1b[Kwarning\n");
}

TEST(StatusLineTest, IsDueByItsPace) {
  std::ostringstream out;
  EXPECT_TRUE(StatusLine(out, true, kAtOnce).is_due());
  EXPECT_FALSE(StatusLine(out, true, kNever).is_due());
}

TEST(StatusLineTest, TellsHoursMinutesAndSeconds) {
  EXPECT_EQ(DurationText(3723.0), "1:02:03");
  EXPECT_EQ(DurationText(245.2), "4:05");
  EXPECT_EQ(DurationText(-1.0), "0:00");
}

}  // namespace
}  // namespace facegate
