// facegate-train ring as it is called.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>
#include <sstream>

#include "tests/support/rounds.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"
#include "tests/trainer/ring/square_digits.h"
#include "trainer/command/train_cli.h"
#include "trainer/photos/idx_file.h"

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

// The first `count` digits of a part of MNIST as files in `folder`.
void WriteFirst(size_t count, const std::string& mnist, DigitPart part, const std::string& prefix,
                const std::string& folder) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const DigitSet all, ReadDigits(mnist, part));
  WriteDigits(all, count, prefix, folder);
}

// A fifth of the digits in every run, all of them in the soak; fewer digits teach less.
struct RingSize {
  size_t train;
  size_t test;
  std::string epochs;
  double softmax_accuracy;
  double arcface_accuracy;
  double angle_ratio;  // within a class, ArcFace's to softmax's
};
RingSize SizeOfRing() {
  return Soaking() ? RingSize{60'000, 10'000, "2", 0.93, 0.97, 0.6}
                   : RingSize{12'000, 5'000, "3", 0.88, 0.92, 0.8};
}

TEST(RingGoldenTest, ArcFaceGathersDigitsMoreTightlyThanSoftmax) {
  FACEGATE_DATA_OR_SKIP(data);
  const TempDir dir;
  const RingSize size = SizeOfRing();
  const std::string mnist = (data / "mnist").string();
  ASSERT_NO_FATAL_FAILURE(
      WriteFirst(size.train, mnist, DigitPart::kTrain, "train", dir.path().string()));
  ASSERT_NO_FATAL_FAILURE(
      WriteFirst(size.test, mnist, DigitPart::kTest, "t10k", dir.path().string()));
  const std::string figure = dir.File("ring.png");
  const Answer answer = RunRing({"--mnist", dir.path().string(), "--out", figure, "--epochs",
                                 size.epochs, "--threads", "1", "--json"});
  ASSERT_EQ(answer.code, TrainExitCode::kOk) << answer.err;
  const auto json = nlohmann::json::parse(answer.out);
  EXPECT_EQ(json["train_digits"], size.train);
  EXPECT_EQ(json["test_digits"], size.test);
  const auto& softmax = json["softmax"];
  const auto& arcface = json["arcface"];
  EXPECT_GT(softmax["accuracy"].get<double>(), size.softmax_accuracy);
  EXPECT_GT(arcface["accuracy"].get<double>(), size.arcface_accuracy);
  EXPECT_LT(arcface["mean_intra_class_degrees"].get<double>(),
            size.angle_ratio * softmax["mean_intra_class_degrees"].get<double>());
  EXPECT_GT(arcface["smallest_inter_class_degrees"].get<double>(), 30.0);
  const cv::Mat picture = cv::imread(figure);
  EXPECT_EQ(picture.cols, 1600);
}

}  // namespace
}  // namespace facegate
