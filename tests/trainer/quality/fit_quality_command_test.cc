#include <gmock/gmock.h>

#include <chrono>
#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <sstream>
#include <string>
#include <vector>

#include "face/base/file.h"
#include "face/detect/quality_net.h"
#include "face/weights/quality_file.h"
#include "face/weights/safetensors.h"
#include "tests/support/random_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"
#include "trainer/command/train_cli.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

class FitQualityCommandTest : public testing::Test {
 protected:
  TrainExitCode Run(std::vector<std::string> arguments) {
    out_.str("");
    err_.str("");
    return RunTrainCli(arguments, out_, err_);
  }
  std::string File(const std::string& name) const { return dir_.File(name); }

  // Ten people with two crops each, and a model that knows nobody.
  void MakeData() {
    for (uint32_t person = 0; person < 10; ++person) {
      const std::filesystem::path folder = File("faces/person" + std::to_string(person));
      std::filesystem::create_directories(folder);
      for (uint32_t photo = 0; photo < 2; ++photo) {
        cv::imwrite((folder / (std::to_string(photo) + ".png")).string(),
                    SyntheticCrop(10 * person + photo));
      }
    }
    ASSERT_THAT(WriteRandomModel(File("model.safetensors")), IsOk());
  }
  std::vector<std::string> Command(std::vector<std::string> more) const {
    std::vector<std::string> all = {"fit-quality", File("out.safetensors"),
                                    "--data",      File("faces"),
                                    "--model",     File("model.safetensors"),
                                    "--epochs",    "2",
                                    "--batch",     "8",
                                    "--threads",   "1"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  const TempDir dir_;
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(FitQualityCommandTest, WritesANetworkThatTheProgramsTake) {
  MakeData();
  ASSERT_EQ(Run(Command({})), TrainExitCode::kOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("correlation"));
  EXPECT_THAT(out_.str(), HasSubstr("discarded"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const QualityWeights weights,
                                ReadQualityWeights(File("out.safetensors")));
  EXPECT_THAT(QualityNet::Create(weights).status(), IsOk());
  EXPECT_LT(std::filesystem::file_size(File("out.safetensors")), 300'000U);
  // Run again, it goes on where it was: nothing is left to do, and the weights are the same.
  ASSERT_EQ(Run(Command({"--force"})), TrainExitCode::kOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("going on after epoch 2"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const QualityWeights again,
                                ReadQualityWeights(File("out.safetensors")));
  EXPECT_EQ(weights.digest, again.digest);
}

TEST_F(FitQualityCommandTest, GivesTheSameForTheSameSeed) {
  MakeData();
  ASSERT_EQ(Run(Command({})), TrainExitCode::kOk) << err_.str();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const QualityWeights first,
                                ReadQualityWeights(File("out.safetensors")));
  ASSERT_EQ(Run(Command({"--force", "--restart"})), TrainExitCode::kOk) << err_.str();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const QualityWeights again,
                                ReadQualityWeights(File("out.safetensors")));
  EXPECT_EQ(first.digest, again.digest);
}

TEST_F(FitQualityCommandTest, DoesNotGoOnWithOtherPhotos) {
  MakeData();
  ASSERT_EQ(Run(Command({})), TrainExitCode::kOk) << err_.str();
  cv::imwrite(File("faces/person3/1.png"), SyntheticCrop(99));
  EXPECT_EQ(Run(Command({"--force"})), TrainExitCode::kFailed);
  EXPECT_THAT(out_.str(), HasSubstr("is made again"));
  EXPECT_THAT(err_.str(), HasSubstr("digest of the samples"));
  EXPECT_THAT(err_.str(), HasSubstr("--restart"));
  EXPECT_EQ(Run(Command({"--force", "--restart"})), TrainExitCode::kOk) << err_.str();
}

TEST_F(FitQualityCommandTest, DoesNotGoOnWithAnotherModel) {
  MakeData();
  ASSERT_EQ(Run(Command({})), TrainExitCode::kOk) << err_.str();
  ASSERT_THAT(WriteRandomModel(File("model.safetensors"), {.seed = 2}), IsOk());
  EXPECT_EQ(Run(Command({"--force"})), TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("digest of the samples"));
}

TEST_F(FitQualityCommandTest, GoesOnWithTheSamePhotosInOtherFiles) {
  MakeData();
  ASSERT_EQ(Run(Command({})), TrainExitCode::kOk) << err_.str();
  std::filesystem::last_write_time(
      File("faces/person3/1.png"),
      std::filesystem::file_time_type::clock::now() + std::chrono::hours(1));
  EXPECT_EQ(Run(Command({"--force"})), TrainExitCode::kOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("is made again"));
  EXPECT_THAT(out_.str(), HasSubstr("going on after epoch 2"));
}

TEST_F(FitQualityCommandTest, SaysInTheCardWhatItLearnedFrom) {
  MakeData();
  ASSERT_EQ(Run(Command({"--training-data", "drawn crops"})), TrainExitCode::kOk) << err_.str();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string bytes,
                                ReadFile(File("out.safetensors"), 1 << 20));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const Safetensors file, ParseSafetensors(bytes));
  EXPECT_EQ(file.metadata.at("training_data"), "drawn crops");
  const std::string& command = file.metadata.at("command");
  EXPECT_THAT(command, HasSubstr("fit-quality --data faces --model model.safetensors --crops"));
  EXPECT_EQ(command.find(dir_.path().string()), std::string::npos);
}

TEST_F(FitQualityCommandTest, RefusesAWrongCommandLine) {
  EXPECT_EQ(Run({"fit-quality", File("out")}), TrainExitCode::kUsage);
  EXPECT_EQ(Run({"fit-quality", File("out"), "--model", "m"}), TrainExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--data"));
  EXPECT_EQ(Run(Command({"--held-out", "1.5"})), TrainExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("--held-out"));
  EXPECT_EQ(Run({"fit-quality", "--help"}), TrainExitCode::kOk);
  EXPECT_THAT(out_.str(), HasSubstr("Examples:"));
}

TEST_F(FitQualityCommandTest, NamesWhatIsMissingOrWouldBeLost) {
  MakeData();
  ASSERT_THAT(WriteFileAtomically(File("out.safetensors"), "precious"), IsOk());
  EXPECT_EQ(Run(Command({})), TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("--force"));
  EXPECT_EQ(Run(Command({"--force", "--data", File("absent")})), TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("absent"));
}

TEST_F(FitQualityCommandTest, NamesACropOfAnotherSize) {
  MakeData();
  cv::imwrite(File("faces/person3/wide.png"), cv::Mat(50, 60, CV_8UC3, cv::Scalar(9)));
  EXPECT_EQ(Run(Command({})), TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("wide.png is 60x50 pixels"));
}

}  // namespace
}  // namespace facegate
