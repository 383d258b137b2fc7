#include "trainer/run/progress.h"

#include <gtest/gtest.h>

#include <sstream>

namespace facegate {
namespace {

TEST(ProgressTest, TellsRateAndTimeLeft) {
  EXPECT_EQ(ProgressText("photos", 50, 200, 10.0), "50/200 photos  25%  5.0/s  0:30 left");
  EXPECT_EQ(ProgressText("photos", 200, 200, 75.0), "200/200 photos  100%  2.7/s  in 1:15");
  EXPECT_EQ(ProgressText("photos", 0, 200, 0.0), "0/200 photos  0%  0.0/s");
  EXPECT_EQ(ProgressText("photos", 0, 0, 0.0), "0/0 photos  100%  0.0/s  in 0:00");
}

TEST(ProgressTest, SaysNothingOfAShortJob) {
  std::ostringstream out;
  ProgressBar bar(out, true, "photos", 3);
  for (int i = 0; i < 3; ++i) bar.Advance();
  bar.Finish();
  EXPECT_EQ(out.str(), "");
}

}  // namespace
}  // namespace facegate
