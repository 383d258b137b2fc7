#include "clients/cli/enrolment_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/clients/fake_server.h"
#include "tests/support/temp_dir.h"

namespace facegate::cli {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

void WritePlanned(const std::filesystem::path& path, const std::string& content = kJpegStart) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << content;
}

TEST(EnrolmentPlanTest, OrdersPeopleAndPhotosByName) {
  const TempDir dir;
  WritePlanned(dir.path() / "b" / "2.jpg");
  WritePlanned(dir.path() / "b" / "1.jpeg");
  WritePlanned(dir.path() / "a" / "1.webp");
  const auto plan = PlanEnrolment(dir.path(), 0);
  ASSERT_TRUE(plan.ok());
  ASSERT_THAT(plan->people, SizeIs(2));
  EXPECT_EQ(plan->people[0].id, "a");
  EXPECT_EQ(plan->people[0].label, "a");
  EXPECT_THAT(plan->people[0].photos, SizeIs(1));
  EXPECT_EQ(plan->people[1].photos[0].filename(), "1.jpeg");
  EXPECT_EQ(plan->people[1].photos[1].filename(), "2.jpg");
  EXPECT_EQ(plan->photo_count(), 3U);
  EXPECT_THAT(plan->warnings, IsEmpty());
}

TEST(EnrolmentPlanTest, LeavesOutPhotosBesideTheFoldersAndCountsOtherFiles) {
  const TempDir dir;
  WritePlanned(dir.path() / "a" / "1.jpg");
  WritePlanned(dir.path() / "anna.jpg");
  WritePlanned(dir.path() / "README", "about these photos");
  WritePlanned(dir.path() / ".DS_Store", "x");
  std::filesystem::create_directories(dir.path() / "nobody");
  const auto plan = PlanEnrolment(dir.path(), 0);
  ASSERT_TRUE(plan.ok());
  ASSERT_THAT(plan->left_out, SizeIs(1));
  EXPECT_EQ(plan->left_out[0].path.filename(), "anna.jpg");
  EXPECT_THAT(plan->warnings, ElementsAre(HasSubstr("nobody: no photos"),
                                          HasSubstr("1 other file beside the folders was")));
  EXPECT_EQ(plan->skipped, 1U);
}

TEST(EnrolmentPlanTest, NamesWhatMayBeMeantForAPhotoBesideTheFolders) {
  const TempDir dir;
  WritePlanned(dir.path() / "a" / "1.jpg");
  WritePlanned(dir.path() / "b.gif", "GIF89a");
  WritePlanned(dir.path() / "c.heic", std::string(kHeicStart));
  std::filesystem::create_symlink("nowhere", dir.path() / "d.jpg");
  WritePlanned(dir.path() / "notes.txt", "about these photos");
  const auto plan = PlanEnrolment(dir.path(), 0);
  ASSERT_TRUE(plan.ok());
  ASSERT_THAT(plan->left_out, SizeIs(3));
  EXPECT_THAT(plan->left_out[0].message, HasSubstr("is a GIF"));
  EXPECT_THAT(plan->left_out[1].message, HasSubstr("lies beside the folders"));
  EXPECT_THAT(plan->left_out[2].message, HasSubstr("link to nothing"));
  EXPECT_THAT(plan->warnings, ElementsAre(HasSubstr("1 other file beside the folders was")));
  std::filesystem::remove_all(dir.path() / "a");
  EXPECT_THAT(PlanEnrolment(dir.path(), 0).error().message,
              HasSubstr("has 1 photo but no folders"));
}

TEST(EnrolmentPlanTest, NeverMergesTwoFolders) {
  const TempDir dir;
  WritePlanned(dir.path() / "Zo\xC3\xAB" / "1.jpg");
  WritePlanned(dir.path() / "Zoe\xCC\x88" / "1.jpg");
  WritePlanned(dir.path() / "a b" / "1.jpg");
  WritePlanned(dir.path() / "a_b" / "1.jpg");
  WritePlanned(dir.path() / "A_B" / "1.jpg");
  const auto plan = PlanEnrolment(dir.path(), 0);
  ASSERT_TRUE(plan.ok());
  EXPECT_THAT(plan->people, SizeIs(4));
  ASSERT_THAT(plan->conflicts, SizeIs(1));
  EXPECT_EQ(plan->conflicts[0].folder, "Zo\xC3\xAB");
  EXPECT_THAT(plan->conflicts[0].message, HasSubstr("rename one"));
}

TEST(EnrolmentPlanTest, GivesTheIdToTheFolderThatIsNamedSo) {
  const TempDir dir;
  WritePlanned(dir.path() / "+" / "1.jpg");
  const std::string id = PlanEnrolment(dir.path(), 0)->people.at(0).id;
  WritePlanned(dir.path() / id / "1.jpg");
  const auto plan = PlanEnrolment(dir.path(), 0);
  ASSERT_THAT(plan->people, SizeIs(1));
  EXPECT_EQ(plan->people[0].folder, id);
  ASSERT_THAT(plan->conflicts, SizeIs(1));
  EXPECT_EQ(plan->conflicts[0].folder, "+");
}

TEST(EnrolmentPlanTest, CountsNamesThatAreNotIdsBeyondTheFirst) {
  const TempDir dir;
  for (int i = 0; i < 13; ++i) WritePlanned(dir.path() / ("p " + std::to_string(i)) / "1.jpg");
  const auto plan = PlanEnrolment(dir.path(), 0);
  ASSERT_THAT(plan->warnings, SizeIs(11));
  EXPECT_THAT(plan->warnings[0], HasSubstr("p 0: its identity is p_0-"));
  EXPECT_THAT(plan->warnings[10], HasSubstr("3 more folders are"));
}

TEST(EnrolmentPlanTest, RefusesAFolderWithoutPeople) {
  const TempDir dir;
  EXPECT_FALSE(PlanEnrolment(dir.path(), 0).ok());
  EXPECT_FALSE(PlanEnrolment(dir.path() / "absent", 0).ok());
  WritePlanned(dir.path() / "1.jpg");
  WritePlanned(dir.path() / "2.jpg");
  EXPECT_THAT(PlanEnrolment(dir.path(), 0).error().message,
              HasSubstr("has 2 photos but no folders"));
}

}  // namespace
}  // namespace facegate::cli
