#include <gmock/gmock.h>

#include <filesystem>
#include <sstream>
#include <string>
#include <vector>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/command/train_cli.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

class FitLandmarksCommandTest : public testing::Test {
 protected:
  TrainExitCode Run(std::vector<std::string> arguments) {
    out_.str("");
    err_.str("");
    return RunTrainCli(arguments, out_, err_);
  }
  std::string File(const std::string& name) const { return dir_.File(name); }

  const TempDir dir_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(FitLandmarksCommandTest, ShowsExamplesInItsHelp) {
  EXPECT_EQ(Run({"fit-landmarks", "--help"}), TrainExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("Examples:"));
  EXPECT_THAT(out_.str(), HasSubstr("--held-out"));
}

TEST_F(FitLandmarksCommandTest, RefusesAWrongCommandLine) {
  EXPECT_EQ(Run({"fit-landmarks", File("out")}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({"fit-landmarks", File("out"), "--photos", File(""), "--landmarks", File("l"),
                 "--held-out", "1.5"}),
            TrainExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--held-out"));
  EXPECT_EQ(Run({"fit-landmarks", File("out"), "--photos", File(""), "--landmarks", File("l"),
                 "--learning-rate", "0"}),
            TrainExitCode::kUsage);
}

TEST_F(FitLandmarksCommandTest, NamesWhatIsMissingOrWouldBeLost) {
  EXPECT_EQ(
      Run({"fit-landmarks", File("out"), "--photos", File("absent"), "--landmarks", File("l")}),
      TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("absent"));
  EXPECT_EQ(Run({"fit-landmarks", File("out"), "--photos", File(""), "--landmarks", File("l")}),
            TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr(File("l")));
  ASSERT_THAT(WriteFileAtomically(File("kept"), "precious"), IsOk());
  EXPECT_EQ(Run({"fit-landmarks", File("kept"), "--photos", File(""), "--landmarks", File("l")}),
            TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("--force"));
}

TEST_F(FitLandmarksCommandTest, NamesThePhotosThatAreNotThereFirst) {
  ASSERT_THAT(WriteFileAtomically(File("l"), "a/1.jpg 1 1 5 1 3 3 1 5 5 5\n"), IsOk());
  EXPECT_EQ(Run({"fit-landmarks", File("out"), "--photos", File(""), "--landmarks", File("l")}),
            TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("1 of 1 photo is not there"));
  EXPECT_THAT(err_.str(), HasSubstr("a/1.jpg"));
  EXPECT_FALSE(std::filesystem::exists(File("out")));
}

}  // namespace
}  // namespace facegate
