// facegate-train inspect and pack as they are called.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <opencv2/imgcodecs.hpp>

#include "face/base/file.h"
#include "tests/support/photo_folder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/command/run_command.h"
#include "trainer/command/inspect.h"
#include "trainer/command/pack.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

class DataCommandsTest : public ::testing::Test {
 protected:
  DataCommandsTest() {
    for (int person = 0; person < 3; ++person) {
      for (int photo = 0; photo < 2; ++photo) {
        const auto seed = static_cast<uint64_t>(10 * person + photo);
        WriteBytes(dir_.File(fmt::format("faces/p{}/{}.png", person, photo)),
                   EncodePng(SmoothNoise(seed)));
      }
    }
  }
  // Runs a command, whose text goes to `out_`, and tells whether it worked.
  Status Run(const std::vector<std::string>& arguments) {
    return RunCommand({AddInspectCommand, AddPackCommand}, arguments, out_);
  }
  std::string Text(const std::string& name) {
    const auto bytes = ReadFile(dir_.File(name), 1 << 24);
    EXPECT_THAT(bytes, IsOk());
    return bytes.value_or("");
  }

  TempDir dir_;
  std::string out_;
};

TEST_F(DataCommandsTest, InspectPrintsFiguresAndAVerdict) {
  ASSERT_THAT(Run({"inspect", dir_.File("faces")}), IsOk());
  EXPECT_THAT(out_, HasSubstr("photos              6\n"));
  EXPECT_THAT(out_, HasSubstr("identities          3\n"));
  EXPECT_THAT(out_, HasSubstr("least 2, median 2, mean 2.0, most 2"));
  EXPECT_THAT(out_, HasSubstr("112x112 (6)"));
  EXPECT_THAT(out_, HasSubstr("verdict: the set can be trained on"));
}

TEST_F(DataCommandsTest, InspectAnswersInJson) {
  WriteBytes(dir_.File("faces/p1/bad.jpg"), "no picture");
  WriteBytes(dir_.File("faces/p2/copy.png"), EncodePng(SmoothNoise(0)));
  EXPECT_THAT(Run({"inspect", "--json", dir_.File("faces")}),
              StatusIs(StatusCode::kInvalidArgument));
  const auto json = nlohmann::json::parse(out_);
  EXPECT_EQ(json["photos"], 8);
  EXPECT_EQ(json["unreadable"][0]["photo"], dir_.File("faces/p1/bad.jpg"));
  EXPECT_EQ(json["duplicates"][0]["across_identities"], true);
  EXPECT_EQ(json["duplicates"][0]["photos"][1]["identity"], "p2");
  EXPECT_EQ(json["findings"][0]["weight"], "error");
}

TEST_F(DataCommandsTest, InspectFailsWhereTheVerdictHasErrors) {
  EXPECT_THAT(Run({"inspect", dir_.File("faces")}), IsOk());
  WriteBytes(dir_.File("faces/p1/bad.jpg"), "no picture");
  EXPECT_THAT(Run({"inspect", dir_.File("faces")}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(out_, HasSubstr("bad.jpg"));
  EXPECT_THAT(Run({"inspect", dir_.File("nothing")}), StatusIs(StatusCode::kNotFound));
}

TEST_F(DataCommandsTest, InspectFailsForWarningsWhereItIsAskedTo) {
  WriteBytes(dir_.File("faces/p3/alone.png"), EncodePng(SmoothNoise(99)));
  EXPECT_THAT(Run({"inspect", dir_.File("faces")}), IsOk());
  EXPECT_THAT(out_, HasSubstr("warning: "));
  EXPECT_THAT(Run({"inspect", "--strict", dir_.File("faces")}),
              StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(DataCommandsTest, InspectSaysWhatWasLeftOutAndMissing) {
  WriteBytes(dir_.File("faces/.ipynb_checkpoints/0.png"), EncodePng(SmoothNoise(0)));
  ASSERT_THAT(Run({"inspect", dir_.File("faces")}), IsOk());
  EXPECT_THAT(out_, HasSubstr("identities          3\n"));
  EXPECT_THAT(out_, HasSubstr("(1: .ipynb_checkpoints)"));
  WriteBytes(dir_.File("list.csv"), "file,who\nfaces/p0/0.png,a\nfaces/p0/7.png,a\n");
  EXPECT_THAT(Run({"inspect", dir_.File("list.csv")}), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(out_, HasSubstr("missing: 1 of 2 photos is not there, such as faces/p0/7.png"));
}

TEST_F(DataCommandsTest, PackRefusesMissingPhotosFirstOrLeavesThemOut) {
  WriteBytes(dir_.File("list.csv"),
             "file,who\nfaces/p0/0.png,a\nfaces/p0/7.png,a\nfaces/p1/0.jpg,b\n");
  const std::string out = dir_.File("out.pack");
  EXPECT_THAT(Run({"pack", dir_.File("list.csv"), "-o", out}),
              StatusIs(StatusCode::kInvalidArgument));
  EXPECT_FALSE(std::filesystem::exists(out + ".partial"));
  ASSERT_THAT(Run({"pack", dir_.File("list.csv"), "-o", out, "--skip-missing"}), IsOk());
  EXPECT_THAT(out_, HasSubstr("photos        2\n"));
  EXPECT_THAT(out_, HasSubstr("photos that are not there (1"));
}

TEST_F(DataCommandsTest, WritesWhatIsToBeLeftOut) {
  WriteBytes(dir_.File("faces/p1/bad.jpg"), "no picture");
  WriteBytes(dir_.File("faces/p2/copy.png"), EncodePng(SmoothNoise(0)));
  WriteBytes(dir_.File("faces/p2/again.png"), EncodePng(SmoothNoise(21)));
  EXPECT_FALSE(Run({"inspect", dir_.File("faces"), "--quarantine", dir_.File("bad.txt")}).ok());
  EXPECT_EQ(Text("bad.txt"), dir_.File("faces/p0/0.png") + "\n" + dir_.File("faces/p1/bad.jpg") +
                                 "\n" + dir_.File("faces/p2/copy.png") + "\n");
}

// As lines it would name two other photos.
TEST_F(DataCommandsTest, AListIsWithoutNamesThatHaveLineEnds) {
  WriteBytes(dir_.File("faces/p1/bad.jpg"), "no picture");
  WriteBytes(dir_.File("faces/p1/bad\nfaces.jpg"), "no picture");
  EXPECT_FALSE(Run({"inspect", dir_.File("faces"), "--quarantine", dir_.File("bad.txt")}).ok());
  EXPECT_EQ(Text("bad.txt"), dir_.File("faces/p1/bad.jpg") + "\n");
  EXPECT_THAT(out_, HasSubstr("warning: 1 photo is not in the list, because its name has a line"));
}

// What the model doubted before is not forgotten.
TEST_F(DataCommandsTest, KeepsAListWhereTheModelCannotBeUsed) {
  WriteBytes(dir_.File("bad.txt"), "faces/p0/1.png\n");
  EXPECT_FALSE(Run({"inspect", dir_.File("faces"), "--model", dir_.File("absent.safetensors"),
                    "--quarantine", dir_.File("bad.txt")})
                   .ok());
  EXPECT_THAT(out_, HasSubstr("identities          3\n"));
  EXPECT_EQ(Text("bad.txt"), "faces/p0/1.png\n");
}

TEST_F(DataCommandsTest, PrintsNamesAsText) {
  WriteBytes(dir_.File("faces/\x1b[2J/\x9b.png"), "no picture");
  std::filesystem::create_directories(dir_.File("faces/none\nverdict: good"));
  WriteBytes(dir_.File("faces/\x1b[2J/copy.png"), EncodePng(SmoothNoise(0)));
  EXPECT_FALSE(Run({"inspect", dir_.File("faces")}).ok());
  EXPECT_THAT(out_, HasSubstr(R"(faces/\x1b[2J/\x9b.png)"));
  EXPECT_THAT(out_, HasSubstr(R"(  \x1b[2J/copy.png)"));
  EXPECT_THAT(out_, HasSubstr(R"(  none\x0averdict: good)"));
  EXPECT_EQ(out_.find('\x1b'), std::string::npos);
}

TEST_F(DataCommandsTest, DrawsASheet) {
  WriteBytes(dir_.File("faces/p2/copy.png"), EncodePng(SmoothNoise(0)));
  EXPECT_FALSE(Run({"inspect", dir_.File("faces"), "--sheet", dir_.File("sheet.png")}).ok());
  const cv::Mat with = cv::imread(dir_.File("sheet.png"));
  std::filesystem::remove(dir_.File("faces/p2/copy.png"));
  ASSERT_THAT(Run({"inspect", dir_.File("faces"), "--sheet", dir_.File("sheet.png")}), IsOk());
  const cv::Mat without = cv::imread(dir_.File("sheet.png"));
  EXPECT_GT(without.rows, 3 * 112);
  EXPECT_GT(with.rows, without.rows + 112);  // a row for the copy
}

TEST_F(DataCommandsTest, PacksAndInspectsThePack) {
  ASSERT_THAT(Run({"pack", dir_.File("faces"), dir_.File("out.pack"), "--crop", "112x112"}),
              IsOk());
  EXPECT_THAT(out_, HasSubstr("photos        6\n"));
  EXPECT_THAT(out_, HasSubstr("identities    3\n"));
  ASSERT_THAT(Run({"inspect", dir_.File("out.pack")}), IsOk());
  EXPECT_THAT(out_, HasSubstr("(checked)"));
}

TEST_F(DataCommandsTest, RefusesWrongCommandLines) {
  const std::string out = dir_.File("out.pack");
  EXPECT_THAT(Run({"pack", out}), RefusedWith(Reason::kInvalidField));
  EXPECT_THAT(Run({"pack", out, dir_.File("faces")}), RefusedWith(Reason::kInvalidField));
  for (const char* size : {"112", "0x112", "112x", "112x-1", "112x112x", "x", "99999x1"}) {
    EXPECT_THAT(Run({"pack", dir_.File("faces"), out, "--crop", size}),
                RefusedWith(Reason::kInvalidField))
        << size;
  }
  ASSERT_THAT(Run({"pack", dir_.File("faces"), out}), IsOk());
  EXPECT_THAT(Run({"pack", dir_.File("faces"), out}), RefusedWith(Reason::kInvalidField));
  EXPECT_THAT(Run({"pack", dir_.File("faces"), out, "--replace"}), IsOk());
}

}  // namespace
}  // namespace facegate
