// facegate-train align as it is called.
#include <sstream>

#include "tests/trainer/align/align_fixture.h"
#include "trainer/command/train_cli.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::Contains;
using ::testing::HasSubstr;
using ::testing::Key;
using ::testing::SizeIs;

class AlignCommandTest : public AlignFixture {
 protected:
  TrainExitCode Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "align");
    out_.str("");
    err_.str("");
    return RunTrainCli(arguments, out_, err_);
  }
  // With the photos and a folder of its own.
  TrainExitCode Align(std::vector<std::string> options) {
    last_ = fmt::format("out{}", runs_++);
    options.insert(options.begin(), {File("photos"), File(last_)});
    return Run(std::move(options));
  }

  std::string last_;
  std::ostringstream out_;
  std::ostringstream err_;

 private:
  int runs_ = 0;
};

TEST_F(AlignCommandTest, PrintsASummary) {
  ASSERT_EQ(Align({}), TrainExitCode::kOk) << err_.str();
  EXPECT_THAT(out_.str(), AllOf(HasSubstr("112x112 pixels"), HasSubstr("aligned     4\n"),
                                HasSubstr("2 photos: 1 no-face, 1 undecodable"),
                                HasSubstr("1 identity is left without a photo: p2"),
                                HasSubstr("manifest.csv")));
}

TEST_F(AlignCommandTest, TakesSizesAndMargins) {
  const auto size = [&](std::vector<std::string> options) {
    EXPECT_EQ(Align(std::move(options)), TrainExitCode::kOk) << err_.str();
    return Picture(last_ + "/p0/0.png").size();
  };
  EXPECT_EQ(size({"--size", "96x112"}), cv::Size(96, 112));
  EXPECT_EQ(size({"--size", "128x128"}), cv::Size(128, 128));
  EXPECT_EQ(size({"--margin", "8"}), cv::Size(128, 128));
  EXPECT_EQ(size({"--size", "96x112", "--margin", "2"}), cv::Size(100, 116));
}

TEST_F(AlignCommandTest, WritesJpegsAndAPack) {
  ASSERT_EQ(Align({"--format", "jpg", "--no-quarantine"}), TrainExitCode::kOk) << err_.str();
  EXPECT_THAT(FilesIn(File(last_)), Contains(Key("p1/3.jpg")));
  EXPECT_FALSE(std::filesystem::exists(File(last_ + ".quarantine")));
  ASSERT_EQ(Run({File("photos"), "-o", File("f.pack"), "--quarantine", File("bad")}),
            TrainExitCode::kOk)
      << err_.str();
  EXPECT_TRUE(std::filesystem::exists(File("f.pack")));
  EXPECT_THAT(FilesIn(File("bad")), SizeIs(2));
}

TEST_F(AlignCommandTest, RefusesWhatDoesNotFit) {
  EXPECT_EQ(Run({File("photos")}), TrainExitCode::kUsage);
  EXPECT_THAT(err_.str(), HasSubstr("expected SOURCE... OUT"));
  for (const std::vector<std::string>& options :
       std::vector<std::vector<std::string>>{{"--size", "100x112"},
                                             {"--size", "112"},
                                             {"--size", "2000x2000"},
                                             {"--size", "128x128", "--margin", "8"},
                                             {"--margin", "-1"},
                                             {"--margin", "1000"},
                                             {"--format", "gif"},
                                             {"--face", "first"},
                                             {"--face", "largest", "--all"},
                                             {"--fallback", "edge"},
                                             {"--quarantine", "q", "--no-quarantine"},
                                             {"--detector", "mtcnn"},
                                             {"--landmarks", "l.txt", "--detector", "haar"},
                                             {"--threads", "-1"},
                                             {"--crops"}}) {
    EXPECT_EQ(Align(options), TrainExitCode::kUsage) << options.front();
    EXPECT_FALSE(std::filesystem::exists(File(last_))) << options.front();
  }
  EXPECT_EQ(Align({"--yunet", File("absent.onnx")}), TrainExitCode::kFailed);
  EXPECT_EQ(Run({File("absent"), File("out")}), TrainExitCode::kFailed);
}

}  // namespace
}  // namespace facegate
