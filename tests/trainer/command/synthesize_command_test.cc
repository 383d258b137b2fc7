#include <gmock/gmock.h>

#include <filesystem>
#include <opencv2/imgcodecs.hpp>
#include <string>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/command/run_command.h"
#include "trainer/command/synthesize.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::StartsWith;

class SynthesizeCommandTest : public ::testing::Test {
 protected:
  Status Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "synthesize");
    return RunCommand({AddSynthesizeCommand}, arguments, out_);
  }
  std::string File(const std::string& name) const { return dir_.File(name); }
  std::string Bytes(const std::string& name) const {
    auto bytes = ReadFile(File(name), 1 << 24);
    EXPECT_THAT(bytes, IsOk());
    return *std::move(bytes);
  }

  TempDir dir_;
  std::string out_;
};

TEST_F(SynthesizeCommandTest, WritesPicturesLandmarksAndSheet) {
  ASSERT_THAT(Run({File("set"), "--identities", "2", "--views", "3", "--size", "96",
                   "--first-identity", "7", "--sheet", File("sheet.png")}),
              IsOk());
  EXPECT_EQ(cv::imread(File("set/0007/000.png")).size(), cv::Size(96, 96));
  EXPECT_FALSE(cv::imread(File("set/0008/002.png")).empty());
  EXPECT_GT(cv::imread(File("sheet.png")).cols, 3 * 160);
  const std::string landmarks = Bytes("set/landmarks.txt");
  EXPECT_EQ(std::count(landmarks.begin(), landmarks.end(), '\n'), 6);
  EXPECT_THAT(landmarks, StartsWith("0007/000.png\t"));
  const std::string line = landmarks.substr(0, landmarks.find('\n'));
  EXPECT_EQ(std::count(line.begin(), line.end(), '\t'), 11);  // path, ten numbers, score
  EXPECT_THAT(out_, HasSubstr("drawn     6"));
}

TEST_F(SynthesizeCommandTest, GoesOnWhereItStoppedAndGrows) {
  ASSERT_THAT(Run({File("set"), "--identities", "2", "--views", "2", "--crops"}), IsOk());
  const std::string landmarks = Bytes("set/landmarks.txt");
  const std::string lost = Bytes("set/0001/001.png");
  std::filesystem::remove(File("set/0001/001.png"));
  ASSERT_THAT(WriteFileAtomically(File("set/0000/000.png"), "changed by hand"), IsOk());
  ASSERT_THAT(Run({File("set"), "--identities", "2", "--views", "2", "--crops"}), IsOk());
  EXPECT_EQ(Bytes("set/0001/001.png"), lost);
  EXPECT_EQ(Bytes("set/0000/000.png"), "changed by hand");
  EXPECT_EQ(Bytes("set/landmarks.txt"), landmarks);
  EXPECT_THAT(out_, HasSubstr("kept      3"));
  ASSERT_THAT(Run({File("set"), "--identities", "3", "--views", "2", "--crops"}), IsOk());
  EXPECT_THAT(out_, HasSubstr("drawn     2"));
  ASSERT_THAT(Run({File("set"), "--identities", "1", "--views", "1", "--crops", "--force"}),
              IsOk());
  EXPECT_NE(Bytes("set/0000/000.png"), "changed by hand");
}

TEST_F(SynthesizeCommandTest, RefusesToMixSeeds) {
  ASSERT_THAT(Run({File("set"), "--identities", "1", "--views", "1", "--crops"}), IsOk());
  const Status mixed =
      Run({File("set"), "--identities", "1", "--views", "1", "--crops", "--seed", "2"});
  EXPECT_THAT(mixed, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(mixed)), HasSubstr("synthetic.json"));
}

TEST_F(SynthesizeCommandTest, RefusesWrongCommandLines) {
  const Status size = Run({File("set"), "--crops", "--size", "200"});
  EXPECT_EQ(ReasonOf(size), Reason::kInvalidField);
  EXPECT_EQ(FieldOf(size), "--size");
  EXPECT_EQ(FieldOf(Run({File("set"), "--sheet", "sheet.gif"})), "--sheet");
  ASSERT_THAT(WriteFileAtomically(File("there.png"), "x"), IsOk());
  const Status there = Run({File("set"), "--sheet", File("there.png")});
  EXPECT_THAT(std::string(MessageOf(there)), HasSubstr("--force"));
  EXPECT_THROW(Run({File("set"), "--difficulty", "2"}), CLI::ParseError);
  EXPECT_FALSE(std::filesystem::exists(File("set")));
}

}  // namespace
}  // namespace facegate
