// Sets of photos as folders of files.
#include "trainer/photos/folder_job.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "face/base/file.h"
#include "tests/support/photo_folder.h"
#include "tests/support/set_bytes.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;

class FolderJobTest : public ::testing::Test {
 protected:
  FolderJobTest() {
    WriteBytes(
        dir_.File("train.rec"),
        InsightFaceSet(
            {{12, PatternPng(1)}, {3, PatternPng(2)}, {12, "no picture"}, {12, PatternPng(3)}}, 2)
            .rec);
    options_.sources = {dir_.File("train.rec")};
  }
  StatusOr<FolderReport> Write() { return WriteFolder(options_, dir_.File("out"), {}); }
  std::string BytesOf(const std::string& name) {
    return ReadFile(dir_.File(name), 1 << 20).value_or("");
  }
  bool Exists(const std::string& name) { return std::filesystem::exists(dir_.File(name)); }

  TempDir dir_;
  PhotoJobOptions options_;
};

TEST_F(FolderJobTest, WritesTheBytesOfReadablePhotos) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FolderReport report, Write());
  EXPECT_EQ(report.photos, 3u);
  EXPECT_EQ(report.bad_photos, 1u);
  EXPECT_EQ(BytesOf("out/12/000001.png"), PatternPng(1));
  EXPECT_EQ(BytesOf("out/12/000003.png"), PatternPng(3));
  EXPECT_EQ(BytesOf("out/3/000001.png"), PatternPng(2));
  EXPECT_FALSE(Exists("out/12/000002.png"));
  EXPECT_FALSE(Exists("out.partial"));
  EXPECT_FALSE(Exists("out/.facegate-convert"));
}

TEST_F(FolderJobTest, GoesOnAfterAStopAndTakesAwayWhatIsNotOfTheSet) {
  ASSERT_THAT(Write(), IsOk());
  std::filesystem::rename(dir_.File("out"), dir_.File("out.partial"));
  WriteBytes(dir_.File("out.partial/.facegate-convert"), "");
  WriteBytes(dir_.File("out.partial/12/000003.png"), PatternPng(3).substr(0, 50));
  WriteBytes(dir_.File("out.partial/12/000009.png"), PatternPng(9));
  WriteBytes(dir_.File("out.partial/4/000001.png"), PatternPng(4));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FolderReport report, Write());
  EXPECT_EQ(report.kept_photos, 2u);
  EXPECT_EQ(BytesOf("out/12/000003.png"), PatternPng(3));
  EXPECT_FALSE(Exists("out/12/000009.png"));
  EXPECT_FALSE(Exists("out/4"));
}

TEST_F(FolderJobTest, FollowsNoLinkWhenItGoesOn) {
  ASSERT_THAT(Write(), IsOk());
  std::filesystem::rename(dir_.File("out"), dir_.File("out.partial"));
  WriteBytes(dir_.File("out.partial/.facegate-convert"), "");
  WriteBytes(dir_.File("mine/000001.png"), PatternPng(1));
  WriteBytes(dir_.File("mine/notes"), "mine");
  std::filesystem::remove_all(dir_.File("out.partial/12"));
  std::filesystem::create_directory_symlink(dir_.File("mine"), dir_.File("out.partial/12"));
  std::filesystem::remove(dir_.File("out.partial/3/000001.png"));
  std::filesystem::create_hard_link(dir_.File("mine/notes"), dir_.File("out.partial/3/000001.png"));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FolderReport report, Write());
  EXPECT_EQ(report.kept_photos, 0u);
  EXPECT_EQ(BytesOf("mine/notes"), "mine");
  EXPECT_FALSE(Exists("mine/000003.png"));
  EXPECT_FALSE(std::filesystem::is_symlink(dir_.File("out/12")));
  EXPECT_EQ(BytesOf("out/12/000003.png"), PatternPng(3));
  EXPECT_EQ(BytesOf("out/3/000001.png"), PatternPng(2));
}

// They are handed over in parts.
TEST_F(FolderJobTest, GoesOnWithAnIdentityOfManyPhotos) {
  std::vector<std::pair<int, std::string>> photos;
  for (uint64_t i = 0; i < 20; ++i) photos.emplace_back(5, PatternPng(i));
  photos.emplace_back(6, PatternPng(77));
  WriteBytes(dir_.File("train.rec"), InsightFaceSet(photos, 0).rec);
  ASSERT_THAT(Write(), IsOk());
  std::filesystem::rename(dir_.File("out"), dir_.File("out.partial"));
  WriteBytes(dir_.File("out.partial/.facegate-convert"), "");
  WriteBytes(dir_.File("out.partial/5/000021.png"), PatternPng(9));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const FolderReport report, Write());
  EXPECT_EQ(report.kept_photos, 21u);
  EXPECT_EQ(BytesOf("out/5/000001.png"), PatternPng(0));
  EXPECT_EQ(BytesOf("out/5/000020.png"), PatternPng(19));
  EXPECT_FALSE(Exists("out/5/000021.png"));
  EXPECT_EQ(BytesOf("out/6/000001.png"), PatternPng(77));
}

TEST_F(FolderJobTest, LeavesSomebodysFolderAlone) {
  WriteBytes(dir_.File("out.partial/notes"), "mine");
  EXPECT_THAT(Write(), StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_EQ(BytesOf("out.partial/notes"), "mine");
  std::filesystem::remove_all(dir_.File("out.partial"));
  WriteBytes(dir_.File("out/notes"), "mine");
  const auto refused = Write();
  ASSERT_THAT(refused, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(MessageOf(refused.status()), HasSubstr("exists"));
}

TEST_F(FolderJobTest, WritesNoFolderOutside) {
  const std::vector<std::string> names = {"anna", "../x", "..", "a/b", "a_b", ".hid", "", "a\nb"};
  EXPECT_THAT(FolderNames(names),
              ElementsAre("anna", "_._x", "_.", "a_b#2", "a_b", "_hid", "_", "a_b#3"));
  const std::string long_name(199, 'a');
  EXPECT_THAT(FolderNames(std::vector<std::string>{long_name + "\xc3\xa4"}),
              ElementsAre(long_name));
}

TEST_F(FolderJobTest, NamesManyAlikeIdentitiesInATimeThatGrowsWithTheirNumber) {
  std::vector<std::string> names(100'000, "..");
  names.emplace_back("_.#3");
  const std::vector<std::string> folders = FolderNames(names);
  EXPECT_THAT(std::vector<std::string>(folders.begin(), folders.begin() + 3),
              ElementsAre("_.", "_.#2", "_.#4"));
  EXPECT_EQ(folders[99'999], "_.#100001");
}

}  // namespace
}  // namespace facegate
