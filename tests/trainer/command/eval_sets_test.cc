// facegate-train eval of sets of pairs that have their pictures, and of several sets.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <nlohmann/json.hpp>
#include <sstream>

#include "face/base/file.h"
#include "tests/support/pair_set_files.h"
#include "tests/support/random_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/command/train_cli.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

class EvalSetsTest : public ::testing::Test {
 protected:
  void SetUp() override {
    ASSERT_THAT(WriteRandomModel(model_), IsOk());
    ASSERT_THAT(WriteFileAtomically(dir_.File("lfw.bin"), PairPickle(pairs_, 2)), IsOk());
  }

  TrainExitCode Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "eval");
    out_.str("");
    err_.str("");
    return RunTrainCli(arguments, out_, err_);
  }
  Json JsonOf(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), model_);
    arguments.emplace_back("--json");
    EXPECT_EQ(Run(arguments), TrainExitCode::kOk) << err_.str();
    return Json::parse(out_.str(), nullptr, false);
  }

  const TempDir dir_;
  const std::string model_ = dir_.File("model.safetensors");
  const TestPairs pairs_ = MakeTestPairs(24);
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(EvalSetsTest, EveryFormGivesTheSameFigures) {
  WriteBcolzPairs(dir_.File("bcolz/lfw"), pairs_, 5);
  WriteMemfilePairs(dir_.File("mem/lfw"), pairs_);
  WriteListedPairs(dir_.File("photos"), dir_.File("lfw.txt"), pairs_);
  const Json listed =
      JsonOf({"--pairs", dir_.File("lfw.txt"), "--photos", dir_.File("photos"), "--crops"});
  EXPECT_EQ(listed["genuine_pairs"], 12);
  EXPECT_GT(listed["accuracy_exact"]["f1"], 0.5);
  for (const char* const form : {"lfw.bin", "bcolz/lfw", "mem/lfw"}) {
    EXPECT_EQ(JsonOf({"--pairs", dir_.File(form)}), listed) << form;
  }
}

TEST_F(EvalSetsTest, PrintsARowForEachSetAndTheMean) {
  WriteMemfilePairs(dir_.File("agedb"), MakeTestPairs(20));
  const std::vector<std::string> both = {"--pairs", dir_.File("lfw.bin"), "--pairs",
                                         dir_.File("agedb")};
  const Json json = JsonOf(both);
  ASSERT_EQ(json["sets"].size(), 2U);
  EXPECT_EQ(json["sets"][0]["name"], "lfw");
  const double first = json["sets"][0]["accuracy_exact"]["mean"];
  const double second = json["sets"][1]["accuracy_exact"]["mean"];
  EXPECT_NEAR(json["mean"]["accuracy"], (first + second) / 2.0, 1e-12);
  std::vector<std::string> table = both;
  table.insert(table.begin(), model_);
  table.insert(table.end(), {"--report", dir_.File("page.html")});
  ASSERT_EQ(Run(table), TrainExitCode::kOk) << err_.str();
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("\nlfw "), HasSubstr("\nagedb "), HasSubstr("\nmean "),
                                HasSubstr("* not measured")));
  // Figures that are not measured make a mean that is not.
  EXPECT_THAT(out_.str().substr(out_.str().find("\nmean ")), HasSubstr("*  "));
  const auto page = ReadFile(dir_.File("page.html"), 1 << 28);
  ASSERT_THAT(page, IsOk());
  EXPECT_THAT(*page, AllOf(HasSubstr("agedb: 40 photos, 20 pairs"), HasSubstr("data:image/")));
}

TEST_F(EvalSetsTest, NamesOfSetsNeedNotBeText) {
  const std::string set = dir_.File("\x1b[2J\xb9.bin");
  ASSERT_THAT(WriteFileAtomically(set, PairPickle(MakeTestPairs(20))), IsOk());
  const Json json = JsonOf({"--pairs", set, "--pairs", dir_.File("lfw.bin")});
  EXPECT_EQ(json["sets"].size(), 2U);
  ASSERT_EQ(Run({model_, "--pairs", set, "--pairs", dir_.File("lfw.bin")}), TrainExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("\n\\x1b[2J\\xb9 "));
}

TEST_F(EvalSetsTest, RefusesWhatDoesNotGoWithPictures) {
  const std::string set = dir_.File("lfw.bin");
  EXPECT_EQ(Run({model_, "--pairs", set, "--centre-crop", "100"}), TrainExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("crops already"));
  EXPECT_EQ(Run({"--embeddings", "e", "--order", "o", "--pairs", set}), TrainExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("evaluated by a model"));
  EXPECT_EQ(Run({model_, "--pairs", set, "--pairs", set, "--low-resolution", "2"}),
            TrainExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("one set at a time"));
  EXPECT_EQ(Run({model_, "--pairs", dir_.path().string()}), TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("name one of them"));
}

// And before the first set was worked on.
TEST_F(EvalSetsTest, FindsAFaultOfALaterSetAtOnce) {
  TestPairs same = MakeTestPairs(24);
  same.same.assign(24, true);
  ASSERT_THAT(WriteFileAtomically(dir_.File("same.bin"), PairPickle(same)), IsOk());
  EXPECT_EQ(Run({dir_.File("absent.safetensors"), "--pairs", dir_.File("lfw.bin"), "--pairs",
                 dir_.File("same.bin")}),
            TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("same: all 24 pairs are of one person"));
}

TEST_F(EvalSetsTest, PicturesAreJudgedAtLowResolutionToo) {
  const Json json = JsonOf({"--pairs", dir_.File("lfw.bin"), "--low-resolution", "8"});
  ASSERT_EQ(json["low_resolution"].size(), 1U);
  EXPECT_NE(json["low_resolution"][0]["d_prime"], json["d_prime"]);
}

}  // namespace
}  // namespace facegate
