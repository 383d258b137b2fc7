// import --super-resolution, eval with such a network, and reduce, as people call them.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgproc.hpp>
#include <sstream>

#include "face/base/file.h"
#include "face/weights/torch_pickle_writer.h"
#include "tests/support/nearest_rcan.h"
#include "tests/support/pair_set_files.h"
#include "tests/support/random_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"
#include "trainer/command/train_cli.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using Json = nlohmann::json;

class SuperResolutionCommandTest : public ::testing::Test {
 protected:
  TrainExitCode Run(const std::vector<std::string>& arguments) {
    out_.str("");
    err_.str("");
    return RunTrainCli(arguments, out_, err_);
  }

  // A state dict of the naming that SNU_FaceRecognition has.
  std::string WriteStateDict(int64_t scale) {
    SuperResolutionFile file = NearestRcan(scale);
    TensorMap named;
    for (const auto& [name, tensor] : file.tensors) {
      named[network::RcanTensorName(name, file.shape, network::RcanNaming::kPlain)] = tensor;
    }
    const std::string path = dir_.File(fmt::format("rcan{}.pth", scale));
    EXPECT_THAT(WriteFileAtomically(path, SerializeTorchPickle(named).value()), IsOk());
    return path;
  }
  std::string Import(int64_t scale) {
    std::string path = dir_.File(fmt::format("x{}.safetensors", scale));
    EXPECT_EQ(Run({"import", "--super-resolution", WriteStateDict(scale), path}),
              TrainExitCode::kOk)
        << err_.str();
    return path;
  }
  // Pairs of pictures that consist of squares of 2×2 pixels, and a model.
  void WriteSet() {
    ASSERT_THAT(WriteRandomModel(model_), IsOk());
    TestPairs pairs = MakeTestPairs(10);
    for (cv::Mat& picture : pairs.pictures) {
      cv::Mat small;
      cv::resize(picture, small, {}, 0.5, 0.5, cv::INTER_AREA);
      cv::resize(small, picture, picture.size(), 0, 0, cv::INTER_NEAREST);
    }
    ASSERT_THAT(WriteFileAtomically(set_, PairPickle(pairs, 2)), IsOk());
  }
  TrainExitCode Eval(const std::vector<std::string>& options) {
    std::vector<std::string> arguments = {"eval", model_, "--pairs", set_};
    arguments.insert(arguments.end(), options.begin(), options.end());
    return Run(arguments);
  }

  const TempDir dir_;
  const std::string model_ = dir_.File("model.safetensors");
  const std::string set_ = dir_.File("lfw.bin");
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(SuperResolutionCommandTest, ImportSaysWhatItFound) {
  Import(4);
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("rcan-1x1-4-x4"), HasSubstr("4 times"),
                                HasSubstr("1 groups of 1 blocks, 4 features, reduction 2"),
                                HasSubstr("rgb of 0 to 1")));
}

TEST_F(SuperResolutionCommandTest, ImportRefusesWhatIsNoSuchNetwork) {
  ASSERT_THAT(WriteRandomModel(model_), IsOk());
  const std::string out = dir_.File("out.safetensors");
  EXPECT_EQ(Run({"import", "--super-resolution", model_, out}), TrainExitCode::kFailed);
  EXPECT_THAT(err_.str(), HasSubstr("no super-resolution network"));
  EXPECT_FALSE(std::filesystem::exists(out));
  EXPECT_EQ(Run({"import", "--super-resolution", WriteStateDict(2), out, "--preset", "adaface"}),
            TrainExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("does not go with --super-resolution"));
}

TEST_F(SuperResolutionCommandTest, NoOtherCommandTakesItForAModel) {
  const std::string network = Import(2);
  const std::vector<std::vector<std::string>> commands = {
      {"eval", network, "--pairs", set_},
      {"summary", network},
      {"import", "--preset", "adaface", network, dir_.File("out.safetensors")},
      {"export", network, dir_.File("out.onnx")}};
  WriteSet();
  for (const auto& command : commands) {
    EXPECT_EQ(Run(command), TrainExitCode::kFailed) << command.front();
    EXPECT_THAT(err_.str(), HasSubstr("none that embeds faces")) << command.front();
  }
}

// What a network enlarges without loss is judged as if it had never been made smaller.
TEST_F(SuperResolutionCommandTest, EvalJudgesCropsThatANetworkEnlarged) {
  WriteSet();
  ASSERT_EQ(Eval({"--low-resolution", "2", "--low-resolution-by", "area", "--super-resolution",
                  Import(2), "--json"}),
            TrainExitCode::kOk)
      << err_.str();
  const Json json = Json::parse(out_.str(), nullptr, false);
  ASSERT_EQ(json["low_resolution"].size(), 2U);
  const Json& plain = json["low_resolution"][0];
  const Json& enlarged = json["low_resolution"][1];
  EXPECT_EQ(plain["super_resolution"], false);
  EXPECT_NE(plain["d_prime"], json["d_prime"]);
  EXPECT_EQ(enlarged["super_resolution"], true);
  EXPECT_EQ(enlarged["d_prime"], json["d_prime"]);
}

TEST_F(SuperResolutionCommandTest, EvalPrintsARowForTheNetwork) {
  WriteSet();
  ASSERT_EQ(Eval({"--low-resolution", "2,4", "--super-resolution", Import(4)}), TrainExitCode::kOk)
      << err_.str();
  EXPECT_THAT(out_.str(), AllOf(HasSubstr(" 1/4 SR  both"), HasSubstr("SR: enlarged again by")));
  EXPECT_EQ(out_.str().find("1/2 SR"), std::string::npos);
}

TEST_F(SuperResolutionCommandTest, EvalRefusesNetworksThatFitNoFactor) {
  WriteSet();
  const std::string network = Import(4);
  const auto refused = [&](const std::vector<std::string>& options) {
    EXPECT_EQ(Eval(options), TrainExitCode::kUsage);
    return err_.str();
  };
  EXPECT_THAT(refused({"--super-resolution", network}), HasSubstr("needs --low-resolution"));
  EXPECT_THAT(refused({"--low-resolution-by", "area"}), HasSubstr("needs --low-resolution"));
  EXPECT_THAT(refused({"--low-resolution", "2", "--super-resolution", network}),
              HasSubstr("enlarges 4 times; --low-resolution is 2"));
  EXPECT_THAT(refused({"--low-resolution", "4", "--super-resolution", network, "--super-resolution",
                       network}),
              HasSubstr("two networks that enlarge 4 times"));
  EXPECT_THAT(refused({"--low-resolution", "3", "--super-resolution", Import(3)}),
              HasSubstr("3 does not divide its sides"));
  EXPECT_THAT(refused({"--low-resolution", "100"}), HasSubstr("only 1 to 28 times"));
}

TEST_F(SuperResolutionCommandTest, ReduceTellsOfWhichPhotosItKnowsThatTheyWereCut) {
  std::filesystem::create_directories(dir_.File("in/anna"));
  for (const char* const name : {"1", "2"}) {
    ASSERT_THAT(WriteFileAtomically(dir_.File(fmt::format("in/anna/{}.png", name)),
                                    Encode(SyntheticCrop(1)(cv::Rect(0, 0, 50, 46)), ".png")),
                IsOk());
  }
  const std::vector<std::string> command = {"reduce", dir_.File("in"), dir_.File("small"),
                                            "--scale", "4"};
  ASSERT_EQ(Run(command), TrainExitCode::kOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("2 photos have fewer rows or columns"));
  std::filesystem::remove(dir_.File("small/HR/anna/2.png"));
  ASSERT_EQ(Run(command), TrainExitCode::kOk) << err_.str();
  EXPECT_THAT(out_.str(), HasSubstr("1 photo has fewer rows or columns, so that each scale divides "
                                    "them (of those done now)"));
}

TEST_F(SuperResolutionCommandTest, ReduceSaysWhereEverythingIs) {
  std::filesystem::create_directories(dir_.File("in/anna"));
  ASSERT_THAT(WriteFileAtomically(dir_.File("in/anna/1.png"), Encode(SyntheticCrop(1), ".png")),
              IsOk());
  const std::string to = dir_.File("small");
  ASSERT_EQ(Run({"reduce", dir_.File("in"), to, "--scale", "2,4", "--super-resolution", Import(2)}),
            TrainExitCode::kOk)
      << err_.str();
  EXPECT_THAT(out_.str(), AllOf(HasSubstr(to + "/LR_bicubic/X4"), HasSubstr(to + "/SR/X2"),
                                HasSubstr("photos        1\n")));
  EXPECT_EQ(Run({"reduce", dir_.File("in"), dir_.File("x.pack"), "--scale", "2"}),
            TrainExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("expected a folder"));
}

}  // namespace
}  // namespace facegate
