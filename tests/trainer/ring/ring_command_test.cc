// facegate-train ring as it is called.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <sstream>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"
#include "trainer/data/idx_file.h"
#include "trainer/train_cli.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

struct Answer {
  TrainExitCode code = TrainExitCode::kFailed;
  std::string out;
  std::string err;
};

Answer RunRing(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "ring");
  std::ostringstream out;
  std::ostringstream err;
  const TrainExitCode code = RunTrainCli(arguments, out, err);
  return {code, out.str(), err.str()};
}

TEST(RingCommandTest, TellsWhereToGetTheDigits) {
  const Answer none = RunRing({});
  EXPECT_EQ(none.code, TrainExitCode::kUsage);
  EXPECT_THAT(none.err, AllOf(HasSubstr("--mnist"), HasSubstr("train-images-idx3-ubyte.gz"),
                              HasSubstr("t10k-labels-idx1-ubyte.gz"), HasSubstr("https://")));
  const TempDir empty;
  const Answer missing = RunRing({"--mnist", empty.path().string()});
  EXPECT_EQ(missing.code, TrainExitCode::kFailed);
  EXPECT_THAT(missing.err, HasSubstr("train-images-idx3-ubyte"));
}

TEST(RingCommandTest, RefusesAWrongCommandLineBeforeItTrains) {
  const TempDir dir;
  const std::string mnist = dir.path().string();
  EXPECT_EQ(RunRing({"--mnist", mnist, "--out", dir.File("absent/ring.png")}).code,
            TrainExitCode::kUsage);
  EXPECT_EQ(RunRing({"--mnist", mnist, "--epochs", "0"}).code, TrainExitCode::kUsage);
  EXPECT_EQ(RunRing({"--mnist", mnist, "--margin", "2"}).code, TrainExitCode::kUsage);
  EXPECT_EQ(RunRing({"--mnist", mnist, "--threads", "0"}).code, TrainExitCode::kUsage);
}

// Two of the command's five epochs: bounds are weaker than those of the whole command.
TEST(RingGoldenTest, ArcFaceGathersDigitsMoreTightlyThanSoftmax) {
  FACEGATE_DATA_OR_SKIP(data);
  const TempDir dir;
  const std::string figure = dir.File("ring.png");
  const Answer answer =
      RunRing({"--mnist", (data / "mnist").string(), "--out", figure, "--epochs", "2", "--json"});
  ASSERT_EQ(answer.code, TrainExitCode::kOk) << answer.err;
  const auto json = nlohmann::json::parse(answer.out);
  EXPECT_EQ(json["train_digits"], 60'000);
  EXPECT_EQ(json["test_digits"], 10'000);
  const auto& softmax = json["softmax"];
  const auto& arcface = json["arcface"];
  EXPECT_GT(softmax["accuracy"].get<double>(), 0.93);
  EXPECT_GT(arcface["accuracy"].get<double>(), 0.97);
  EXPECT_LT(arcface["mean_intra_class_degrees"].get<double>(),
            0.6 * softmax["mean_intra_class_degrees"].get<double>());
  EXPECT_GT(arcface["smallest_inter_class_degrees"].get<double>(), 30.0);
  const cv::Mat picture = cv::imread(figure);
  EXPECT_EQ(picture.cols, 1600);
}

}  // namespace
}  // namespace facegate
