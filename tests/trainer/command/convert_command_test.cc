// facegate-train convert as it is called.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "face/base/file.h"
#include "tests/support/photo_folder.h"
#include "tests/support/set_bytes.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/command/run_command.h"
#include "trainer/command/convert.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class ConvertCommandTest : public ::testing::Test {
 protected:
  ConvertCommandTest() {
    WriteBytes(dir_.File("faces/anna/1.png"), PatternPng(1));
    WriteBytes(dir_.File("faces/zoe, b/1.png"), PatternPng(2));
    WriteBytes(dir_.File("faces/zoe, b/2.png"), PatternPng(3));
    WriteBytes(dir_.File("set.zip"), ZipOf({{"t/anna/1.png", PatternPng(1)},
                                            {"t/zoe/1.png", PatternPng(2), true},
                                            {"t/zoe/2.png", PatternPng(3), true}}));
  }
  Status Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "convert");
    return RunCommand({AddConvertCommand}, arguments, out_);
  }
  std::string Text(const std::string& name) {
    return ReadFile(dir_.File(name), 1 << 24).value_or("");
  }
  // Each photo of the set at `name` and its label.
  std::vector<std::string> Photos(const std::string& name) {
    const auto source = OpenPhotoSource(dir_.File(name), "");
    EXPECT_THAT(source, IsOk());
    std::vector<std::string> photos;
    for (size_t i = 0; source.ok() && i < (*source)->size(); ++i) {
      photos.push_back(std::to_string((*source)->label(i)) + (*source)->Read(i).value_or(""));
    }
    return photos;
  }

  TempDir dir_;
  std::string out_;
};

TEST_F(ConvertCommandTest, TheEndingSaysWhatIsWritten) {
  const std::vector<std::string> photos = Photos("faces");
  for (const char* out : {"out.pack", "out.txt", "out.csv", "out"}) {
    ASSERT_THAT(Run({dir_.File("faces"), dir_.File(out)}), IsOk()) << out;
    EXPECT_THAT(out_, HasSubstr("photos        3\n"));
    EXPECT_EQ(Photos(out), photos) << out;
  }
}

TEST_F(ConvertCommandTest, WritesListsThatOthersRead) {
  ASSERT_THAT(Run({dir_.File("faces"), dir_.File("cls_train.txt")}), IsOk());
  EXPECT_EQ(Text("cls_train.txt"), "0;" + dir_.File("faces/anna/1.png") + "\n1;" +
                                       dir_.File("faces/zoe, b/1.png") + "\n1;" +
                                       dir_.File("faces/zoe, b/2.png") + "\n");
  ASSERT_THAT(Run({dir_.File("faces"), dir_.File("list"), "--to", "csv", "--min-photos", "2"}),
              IsOk());
  EXPECT_EQ(Text("list"), "path,identity,label\n\"" + dir_.File("faces/zoe, b/1.png") +
                              "\",\"zoe, b\",0\n\"" + dir_.File("faces/zoe, b/2.png") +
                              "\",\"zoe, b\",0\n");
}

TEST_F(ConvertCommandTest, UnpacksAnArchive) {
  ASSERT_THAT(Run({dir_.File("set.zip"), dir_.File("out/")}), IsOk());
  EXPECT_EQ(Photos("out"), Photos("set.zip"));
  EXPECT_EQ(Text("out/zoe/000002.png"), PatternPng(3));
}

TEST_F(ConvertCommandTest, RefusesWithWhatWouldBeRight) {
  const auto refused = [&](std::vector<std::string> arguments) {
    const Status status = Run(std::move(arguments));
    EXPECT_FALSE(status.ok());
    return std::string(MessageOf(status));
  };
  EXPECT_THAT(refused({dir_.File("set.zip"), dir_.File("out.csv")}),
              HasSubstr("convert it to a folder first"));
  EXPECT_THAT(refused({dir_.File("faces"), dir_.File("out.jpg")}), HasSubstr("--to does"));
  EXPECT_THAT(refused({dir_.File("set.zip"), dir_.File("faces")}), HasSubstr("exists"));
  EXPECT_THAT(refused({dir_.File("faces")}), HasSubstr("SOURCE... OUT"));
  WriteBytes(dir_.File("out.txt"), "mine");
  EXPECT_THAT(refused({dir_.File("faces"), dir_.File("out.txt")}), HasSubstr("--replace"));
  EXPECT_EQ(Text("out.txt"), "mine");
  EXPECT_THAT(refused({dir_.File("faces"), dir_.File("x.csv"), "--crop", "112x112"}),
              HasSubstr("without a look at the photos"));
  WriteBytes(dir_.File("semi;colon/a/1.png"), PatternPng(1));
  EXPECT_THAT(refused({dir_.File("semi;colon"), dir_.File("new.txt")}),
              HasSubstr("a CSV holds any path"));
}

}  // namespace
}  // namespace facegate
