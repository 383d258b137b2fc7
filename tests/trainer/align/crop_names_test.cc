#include "trainer/align/crop_names.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "face/base/file.h"
#include "tests/support/photo_folder.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"
#include "trainer/photos/pack_job.h"

namespace facegate {
namespace {

using ::testing::ElementsAre;

class CropNamesTest : public ::testing::Test {
 protected:
  // Plans a list of photos that need not be there but for the first.
  CropPlan PlanOf(const std::string& list) {
    WriteBytes(dir_.File("list"), list);
    WriteBytes(dir_.File("first.jpg"), "x");
    auto set = OpenSourceSet({dir_.File("list")}, "", MissingPhotos::kKeep);
    EXPECT_THAT(set, IsOk());
    return set.ok() ? PlanCrops(*set) : CropPlan{};
  }
  // IDENTITY/NAME of each photo.
  static std::vector<std::string> Names(const CropPlan& plan) {
    std::vector<std::string> names;
    for (const PlannedPhoto& photo : plan.photos) {
      names.push_back(plan.folders[photo.identity] + "/" + photo.name);
    }
    return names;
  }

  std::string SizesDigestOf(const std::string& source) {
    const std::vector<std::string> paths = {dir_.File(source)};
    auto set = OpenSourceSet(paths, "", MissingPhotos::kKeep);
    EXPECT_THAT(set, IsOk());
    return set.ok() ? SizesDigest(*set, PlanCrops(*set), paths) : "";
  }

  TempDir dir_;
};

TEST_F(CropNamesTest, TheDigestOfSizesTellsReplacedPhotosAndPacks) {
  WriteBytes(dir_.File("photos/anna/1.png"), Encode(SyntheticCrop(1), ".png"));
  PackOptions pack_options;
  pack_options.sources = {dir_.File("photos")};
  pack_options.out = dir_.File("a.pack");
  ASSERT_THAT(WritePack(pack_options, {}), IsOk());
  const std::string files = SizesDigestOf("photos");
  const std::string pack = SizesDigestOf("a.pack");
  std::filesystem::last_write_time(dir_.File("photos/anna/1.png"), {});
  std::filesystem::remove(dir_.File("a.pack"));
  ASSERT_THAT(WritePack(pack_options, {}), IsOk());
  EXPECT_EQ(SizesDigestOf("photos"), files);
  EXPECT_EQ(SizesDigestOf("a.pack"), pack);
  WriteBytes(dir_.File("photos/anna/1.png"),
             Encode(SyntheticCrop(1)(cv::Rect(0, 0, 80, 80)), ".png"));
  std::filesystem::remove(dir_.File("a.pack"));
  ASSERT_THAT(WritePack(pack_options, {}), IsOk());
  EXPECT_NE(SizesDigestOf("photos"), files);
  EXPECT_NE(SizesDigestOf("a.pack"), pack);
}

TEST_F(CropNamesTest, AreThoseOfIdentityAndPhoto) {
  const CropPlan plan = PlanOf("first.jpg,anna\nx/2.v1.png,anna\ny/3.jpg,bob\n");
  EXPECT_THAT(Names(plan), ElementsAre("anna/first", "anna/2.v1", "bob/3"));
  EXPECT_EQ(plan.photos[1].ending, ".png");
}

TEST_F(CropNamesTest, TellPhotosOfOneNameApart) {
  EXPECT_THAT(Names(PlanOf("first.jpg,a\nx/1.png,a\nx/1.jpg,a\ny/1.jpg,a\ny/1-2.jpg,a\n")),
              ElementsAre("a/first", "a/1", "a/1-2", "a/1-3", "a/1-2-2"));
}

// Readers of folders skip hidden names, and three names are those of files in the output.
TEST_F(CropNamesTest, AreSeenByReadersOfFolders) {
  EXPECT_THAT(Names(PlanOf("first.jpg,.hidden\nx/.1.jpg,../up\nx/2.jpg,manifest.csv\n"
                           "x/3.jpg,Thumbs.db\n")),
              ElementsAre("_.._up/_.1", "_.hidden/first", "_Thumbs.db/3", "manifest.csv-2/2"));
}

TEST_F(CropNamesTest, AreShortEnoughForFileSystems) {
  const std::string name(300, 'n');
  const CropPlan plan = PlanOf("first.jpg,a\nx/" + name + ".jpg,a\ny/" + name + "m.jpg,a\n");
  EXPECT_EQ(plan.photos[1].name.size(), 200u);
  EXPECT_EQ(plan.photos[2].name, std::string(200, 'n') + "-2");
}

TEST_F(CropNamesTest, TheDigestFollowsTheNames) {
  const std::string digest = PlanOf("first.jpg,a\nx/1.jpg,a\n").digest;
  EXPECT_EQ(PlanOf("first.jpg,a\nx/1.jpg,a\n").digest, digest);
  EXPECT_NE(PlanOf("first.jpg,a\nx/2.jpg,a\n").digest, digest);
  EXPECT_NE(PlanOf("first.jpg,a\nx/1.jpg,b\n").digest, digest);
}

}  // namespace
}  // namespace facegate
