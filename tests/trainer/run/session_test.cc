#include "trainer/run/session.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <csignal>
#include <sstream>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/run/stop_on_signal.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class SessionTest : public ::testing::Test {
 protected:
  Session Make(std::function<bool()> asked_to_stop = nullptr) {
    return Session({.out = out_,
                    .progress = progress_,
                    .terminal = true,
                    .threads = 0,
                    .asked_to_stop = std::move(asked_to_stop)});
  }

  std::ostringstream out_;
  std::ostringstream progress_;
};

TEST_F(SessionTest, KeepsWhatItSaysAndNotWhatItPrints) {
  Session session = Make();
  session.Print("three photos");
  EXPECT_THAT(session.Say("warning: few photos"), IsOk());
  EXPECT_EQ(out_.str(), "three photos\nwarning: few photos\n");
  EXPECT_THAT(session.notes(), ElementsAre("warning: few photos"));
}

TEST_F(SessionTest, ShowsNamesAsText) {
  Session session = Make();
  EXPECT_THAT(session.Say("left out: a\x1b[2J.png,\n\xb9.png"), IsOk());
  EXPECT_EQ(out_.str(), "left out: a\\x1b[2J.png,\n\\xb9.png\n");
  session.BeginLine({}).Draw("batch 1");
  EXPECT_THAT(session.Say("left out: \x1b[2J"), IsOk());
  EXPECT_THAT(progress_.str(), HasSubstr("left out: \\x1b[2J\n"));
}

TEST_F(SessionTest, TheLogGetsWhatWasSaidBeforeItToo) {
  const TempDir dir;
  Session session = Make();
  EXPECT_THAT(session.Say("before"), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto log, report::RunLog::Open(dir.path().string(), 0));
  ASSERT_THAT(session.KeepIn(*log), IsOk());
  EXPECT_THAT(session.Say("after"), IsOk());
  ASSERT_THAT(log->Sync(), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(dir.File("log.jsonl"), 1 << 20));
  EXPECT_LT(text.find("before"), text.find("after"));
  EXPECT_NE(text.find("after"), std::string::npos);
}

TEST_F(SessionTest, HasTheThreadsOfTheMachineWhereNoneAreGiven) { EXPECT_GE(Make().threads(), 1); }

TEST_F(SessionTest, IsAskedToStopByItsCaller) {
  EXPECT_FALSE(Make().asked_to_stop());
  EXPECT_TRUE(Make([] { return true; }).asked_to_stop());
}

TEST_F(SessionTest, SaysOnceThatASignalHasAskedItToStop) {
  Session session = Make();
  const StopOnSignal signals;
  EXPECT_FALSE(session.asked_to_stop());
  std::raise(SIGINT);
  EXPECT_TRUE(session.asked_to_stop());
  EXPECT_TRUE(session.asked_to_stop());
  EXPECT_EQ(progress_.str(), "\nstopping with a checkpoint; press again to end at once\n");
}

TEST_F(SessionTest, PrintsInPlaceOfTheLineThatIsDrawn) {
  Session session = Make();
  session.BeginLine({.silence = {}, .redraw = {}, .plain = {}}).Draw("batch 1");
  session.Print("left out: a.png");
  EXPECT_THAT(progress_.str(), HasSubstr("batch 1\r\x1b[Kleft out: a.png\n"));
}

TEST(StopOnSignalTest, ForgetsItsSignalWhenItEnds) {
  {
    const StopOnSignal signals;
    std::raise(SIGTERM);
    EXPECT_TRUE(StopOnSignal::requested());
  }
  EXPECT_FALSE(StopOnSignal::requested());
}

TEST(StopOnSignalTest, AnInnerOneLeavesTheSignalToTheOuterOne) {
  const StopOnSignal outer;
  {
    const StopOnSignal inner;
    std::raise(SIGTERM);
  }
  EXPECT_TRUE(StopOnSignal::requested());
}

TEST(StopOnSignalTest, LeavesTheSecondSignalItsUsualEffect) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  EXPECT_EXIT(
      {
        const StopOnSignal signals;
        std::raise(SIGINT);
        std::raise(SIGINT);
      },
      ::testing::KilledBySignal(SIGINT), "");
}

}  // namespace
}  // namespace facegate
