// facegate-train sweep as it is called.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <sstream>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/command/train_cli.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

class SweepCommandTest : public ::testing::Test {
 protected:
  TrainExitCode Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "sweep");
    std::ostringstream out;
    std::ostringstream err;
    const TrainExitCode code = RunTrainCli(arguments, out, err);
    out_ = out.str();
    err_ = err.str();
    return code;
  }
  // With a recipe that holds people out, and photos that are not there.
  TrainExitCode RunWith(std::vector<std::string> arguments) {
    EXPECT_THAT(WriteFileAtomically(dir_.File("base.yaml"),
                                    "data: {train: absent}\nholdout: {identities: 4}\n"
                                    "card: {training_data: nobody}\n"),
                IsOk());
    arguments.insert(arguments.begin(), {dir_.File("sweep"), "--recipe", dir_.File("base.yaml")});
    return Run(std::move(arguments));
  }

  const TempDir dir_;
  std::string out_;
  std::string err_;
};

TEST_F(SweepCommandTest, HelpHasExamplesAndSaysWhatTheScoreIsNot) {
  EXPECT_EQ(Run({"--help"}), TrainExitCode::kOk);
  EXPECT_THAT(out_, AllOf(HasSubstr("Examples:"), HasSubstr("optimistic"),
                          HasSubstr("--score-by agedb_30"), HasSubstr("0.01..0.3:log")));
}

TEST_F(SweepCommandTest, WrongOptionsEndWithTheirName) {
  const std::vector<std::pair<std::vector<std::string>, std::string>> wrong = {
      {{}, "--try: is missing"},
      {{"--try", "head.margn=0.3"}, "--try: there is no key \"head.margn\""},
      {{"--try", "head.margin=0.3,0.4", "--trials", "0"}, "--trials: is 0"},
      {{"--try", "head.margin=0.3,0.4", "--epochs", "0"}, "--epochs: "},
      {{"--try", "head.margin=0.3,0.4", "--eta", "1"}, "--eta: is 1"},
      {{"--try", "head.margin=0.3,0.4", "--set", "head.scales=3"}, "--set: "},
      {{"--try", "head.margin=0.3,0.4", "--score-by", "lfw"}, "--score-by: names lfw"},
      {{"--try", "head.margin=0.3,0.4", "--set", "holdout.identities=0"}, "--score-by: is missing"},
      {{"--try", "network.seed=1,2"}, "--try: network.seed decides who is held out"},
  };
  for (const auto& [arguments, said] : wrong) {
    EXPECT_EQ(RunWith(arguments), TrainExitCode::kUsage) << err_;
    EXPECT_THAT(err_, HasSubstr("facegate-train sweep: " + said));
  }
}

TEST_F(SweepCommandTest, AMethodThatThereIsNotIsRefused) {
  EXPECT_EQ(RunWith({"--try", "head.margin=0.3,0.4", "--method", "bayes"}), TrainExitCode::kUsage);
  EXPECT_THAT(err_, HasSubstr("--method"));
}

TEST_F(SweepCommandTest, PhotosThatAreNotThereAreSaidAtOnce) {
  EXPECT_NE(RunWith({"--try", "head.margin=0.3,0.4"}), TrainExitCode::kOk);
  EXPECT_THAT(err_, HasSubstr("absent"));
  EXPECT_FALSE(std::filesystem::exists(dir_.File("sweep/sweep.json")));
}

TEST_F(SweepCommandTest, AFolderWithoutASweepNeedsARecipe) {
  EXPECT_EQ(Run({dir_.File("sweep")}), TrainExitCode::kUsage);
  EXPECT_THAT(err_, HasSubstr("--recipe: is missing"));
  EXPECT_EQ(Run({dir_.File("sweep"), "--trials", "5"}), TrainExitCode::kUsage);
  EXPECT_THAT(err_, HasSubstr("goes on with its own plan"));
}

}  // namespace
}  // namespace facegate
