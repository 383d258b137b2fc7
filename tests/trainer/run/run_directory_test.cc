#include "trainer/run/run_directory.h"

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>

#include "face/base/file.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::Not;

constexpr char kDefaults[] = "data:\n  batch: 64\n  novel: 0\nschedule:\n  rate: 0.1\n";
constexpr char kRecipe[] = "data:\n  batch: 8\nschedule:\n  rate: 0.1\n";

// A run that learned something, if `batches` is above 0.
void BeginRun(const std::string& path, int64_t batches) {
  const auto run = RunDirectory::Open(path, kRecipe, kDefaults);
  ASSERT_THAT(run, IsOk());
  ASSERT_THAT((*run)->Freeze(), IsOk());
  if (batches == 0) return;
  ASSERT_THAT(WriteFileAtomically((*run)->CheckpointPath(batches), "x"), IsOk());
}

TEST(RunDirectoryTest, GoesOnWithTheSameRecipeOnly) {
  const TempDir dir;
  BeginRun(dir.File("run"), 3);
  EXPECT_THAT(RunDirectory::Open(dir.File("run"), kRecipe, kDefaults), IsOk());
  const auto other =
      RunDirectory::Open(dir.File("run"), "data:\n  batch: 9\nschedule:\n  rate: 0.1\n", kDefaults);
  EXPECT_THAT(other, StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_THAT(std::string(MessageOf(other.status())),
              AllOf(HasSubstr("data.batch: 9"), Not(HasSubstr("rate"))));
}

TEST(RunDirectoryTest, KeepsNoRecipeBeforeItIsFrozen) {
  const TempDir dir;
  ASSERT_THAT(RunDirectory::Open(dir.File("run"), kRecipe, kDefaults), IsOk());
  EXPECT_THAT(ReadRunRecipe(dir.File("run")), StatusIs(StatusCode::kNotFound));
  BeginRun(dir.File("run"), 0);
  EXPECT_EQ(ReadRunRecipe(dir.File("run")).value(), kRecipe);
}

TEST(RunDirectoryTest, IsTakenOverWhereNothingWasLearned) {
  const TempDir dir;
  BeginRun(dir.File("run"), 0);
  const std::vector<std::string> left = {"run/steps.csv", "run/validation.csv"};
  for (const std::string& name : left) {
    ASSERT_THAT(WriteFileAtomically(dir.File(name), "old"), IsOk());
  }
  const std::string other = "data:\n  batch: 9\nschedule:\n  rate: 0.1\n";
  const auto run = RunDirectory::Open(dir.File("run"), other, kDefaults);
  ASSERT_THAT(run, IsOk());
  EXPECT_FALSE((*run)->has_learned());
  ASSERT_THAT((*run)->Freeze(), IsOk());
  EXPECT_EQ(ReadRunRecipe(dir.File("run")).value(), other);
  for (const std::string& name : left)
    EXPECT_FALSE(std::filesystem::exists(dir.File(name))) << name;
}

// Somebody who removes checkpoints to save space means to keep the model.
TEST(RunDirectoryTest, IsNotTakenOverWhereAModelLies) {
  for (const char* const model : {"run/model.safetensors", "run/best.safetensors"}) {
    const TempDir dir;
    BeginRun(dir.File("run"), 0);
    ASSERT_THAT(WriteFileAtomically(dir.File(model), "x"), IsOk());
    EXPECT_THAT(RunDirectory::Open(dir.File("run"), "data:\n  batch: 9\n", kDefaults),
                StatusIs(StatusCode::kFailedPrecondition));
  }
}

TEST(RunDirectoryTest, GoesOnWithARunOfAVersionThatHadFewerKeys) {
  const TempDir dir;
  BeginRun(dir.File("run"), 3);
  const auto open = [&](int novel) {
    const std::string recipe =
        fmt::format("data:\n  batch: 8\n  novel: {}\nschedule:\n  rate: 0.1\n", novel);
    return RunDirectory::Open(dir.File("run"), recipe, kDefaults).status();
  };
  EXPECT_THAT(open(0), IsOk());
  EXPECT_THAT(open(1), StatusIs(StatusCode::kFailedPrecondition));
}

TEST(RunDirectoryTest, IsOpenOnce) {
  const TempDir dir;
  const auto first = RunDirectory::Open(dir.File("run"), kRecipe, kDefaults);
  ASSERT_THAT(first, IsOk());
  EXPECT_THAT(RunDirectory::Open(dir.File("run"), kRecipe, kDefaults),
              StatusIs(StatusCode::kFailedPrecondition));
}

TEST(RunDirectoryTest, LeavesAFolderOfOtherThingsAlone) {
  const TempDir dir;
  ASSERT_THAT(WriteFileAtomically(dir.File("photo.jpg"), "x"), IsOk());
  EXPECT_THAT(RunDirectory::Open(dir.path(), kRecipe, kDefaults),
              StatusIs(StatusCode::kFailedPrecondition));
  EXPECT_FALSE(std::filesystem::exists(dir.File("recipe.yaml")));
}

TEST(RunDirectoryTest, KeepsTheNewestCheckpoints) {
  const TempDir dir;
  const auto run = RunDirectory::Open(dir.File("run"), kRecipe, kDefaults);
  ASSERT_THAT(run, IsOk());
  ASSERT_THAT((*run)->Freeze(), IsOk());
  for (const int64_t batches : {5, 1200, 40}) {
    ASSERT_THAT(WriteFileAtomically((*run)->CheckpointPath(batches), "x"), IsOk());
  }
  ASSERT_THAT(WriteFileAtomically((*run)->CheckpointPath(0), "x"), IsOk());
  // A file that was being written when the power went.
  ASSERT_THAT(WriteFileAtomically((*run)->CheckpointPath(7) + ".tmp", "x"), IsOk());
  ASSERT_THAT((*run)->Prune(2), IsOk());
  const auto left = (*run)->Checkpoints();
  ASSERT_THAT(left, IsOk());
  ASSERT_EQ(left->size(), 2u);
  EXPECT_EQ((*left)[0].batches, 1200);
  EXPECT_EQ((*left)[1].batches, 40);
}

}  // namespace
}  // namespace facegate
