#include "trainer/command/fit_processes.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cstdlib>

#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/parallel/gloo_group.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

// What a step of the training says of a group that is lost is an exception like any other.
TEST(FitProcessesTest, ARunWhoseProcessesLostEachOtherMayGoOn) {
  const Status nobody = LostEachOther(Internal("training: timed out"), {}, {});
  EXPECT_THAT(nobody, StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(std::string(MessageOf(nobody)), HasSubstr("training: timed out"));
}

TEST(FitProcessesTest, NamesTheProcessThatDiedAlone) {
  const Status status = LostEachOther(Internal("timed out"), "process 2 of 2 was ended", {});
  EXPECT_THAT(status, StatusIs(StatusCode::kUnavailable));
  EXPECT_THAT(std::string(MessageOf(status)), ::testing::StartsWith("process 2 of 2 was ended. "));
}

// It may have ended for no other reason than that this one let go.
TEST(FitProcessesTest, DoesNotBlameOneThatEndedLaterAlone) {
  const Status status = LostEachOther(Internal("timed out"), {}, "process 2 of 2 was ended");
  EXPECT_THAT(std::string(MessageOf(status)),
              AllOf(HasSubstr("timed out"), HasSubstr("process 2 of 2 was ended")));
}

TEST(FitProcessesTest, ProcessesThatCannotBeStartedAreNoneThatDied) {
  if (!HasGloo()) GTEST_SKIP() << "this build's LibTorch has no Gloo";
  const TempDir dir;
  const char* const before = std::getenv("TMPDIR");
  const std::string kept = before == nullptr ? "" : before;
  setenv("TMPDIR", dir.File("absent").c_str(), 1);
  const auto group = FitProcesses().Join(Recipe{});
  if (before == nullptr) {
    unsetenv("TMPDIR");
  } else {
    setenv("TMPDIR", kept.c_str(), 1);
  }
  EXPECT_THAT(group, StatusIs(StatusCode::kAborted));
}

}  // namespace
}  // namespace facegate
