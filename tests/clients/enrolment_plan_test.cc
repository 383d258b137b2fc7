#include "clients/cli/enrolment_plan.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <fstream>

#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;
using ::testing::SizeIs;

void WritePhoto(const std::filesystem::path& path) {
  std::filesystem::create_directories(path.parent_path());
  std::ofstream(path) << "photo";
}

TEST(SanitisedIdTest, KeepsWhatFitsAndReplacesTheRest) {
  EXPECT_EQ(SanitisedId("Anna-2.b_c"), "Anna-2.b_c");
  EXPECT_EQ(SanitisedId("Anna Berg/x"), "Anna_Berg_x");
  EXPECT_EQ(SanitisedId("_hidden"), "x_hidden");
  EXPECT_EQ(SanitisedId(""), "x");
  EXPECT_THAT(SanitisedId(std::string(300, 'a')), SizeIs(128));
  EXPECT_THAT(SanitisedId("-" + std::string(127, 'a')), SizeIs(128));
}

TEST(EnrolmentPlanTest, OrdersPeopleAndPhotosByName) {
  const TempDir dir;
  WritePhoto(dir.path() / "b" / "2.jpg");
  WritePhoto(dir.path() / "b" / "1.jpeg");
  WritePhoto(dir.path() / "a" / "1.webp");
  WritePhoto(dir.path() / "a" / ".hidden.jpg");
  WritePhoto(dir.path() / "empty" / "readme.txt");
  WritePhoto(dir.path() / "beside.jpg");
  const auto plan = PlanEnrolment(dir.path(), 0);
  ASSERT_TRUE(plan.ok());
  ASSERT_THAT(plan->people, SizeIs(2));
  EXPECT_EQ(plan->people[0].id, "a");
  EXPECT_THAT(plan->people[0].photos, SizeIs(1));
  EXPECT_EQ(plan->people[1].photos[0].filename(), "1.jpeg");
  EXPECT_EQ(plan->people[1].photos[1].filename(), "2.jpg");
  EXPECT_EQ(plan->photo_count(), 3U);
  ASSERT_THAT(plan->warnings, SizeIs(2));
  EXPECT_THAT(plan->warnings[0], HasSubstr("empty: no photos"));
  EXPECT_THAT(plan->warnings[1], HasSubstr("1 files beside"));
}

TEST(EnrolmentPlanTest, NeverMergesTwoFolders) {
  const TempDir dir;
  WritePhoto(dir.path() / "a b" / "1.jpg");
  WritePhoto(dir.path() / "a+b" / "1.jpg");
  WritePhoto(dir.path() / "a_b" / "1.jpg");
  const auto plan = PlanEnrolment(dir.path(), 0);
  ASSERT_TRUE(plan.ok());
  ASSERT_THAT(plan->people, SizeIs(1));
  EXPECT_EQ(plan->people[0].folder, "a_b");  // fits as it is
  ASSERT_THAT(plan->conflicts, SizeIs(2));
  EXPECT_EQ(plan->conflicts[0].folder, "a b");
  EXPECT_THAT(plan->conflicts[0].message, HasSubstr("of the folder a_b"));
}

TEST(EnrolmentPlanTest, RefusesAFolderWithoutPeople) {
  const TempDir dir;
  EXPECT_FALSE(PlanEnrolment(dir.path(), 0).ok());
  EXPECT_FALSE(PlanEnrolment(dir.path() / "absent", 0).ok());
}

}  // namespace
}  // namespace facegate
