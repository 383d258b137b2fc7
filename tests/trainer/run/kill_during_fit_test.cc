#include <csignal>
#include <random>
#include <thread>

#include "tests/support/child_process.h"
#include "tests/support/rounds.h"
#include "tests/trainer/run/run_fixture.h"

namespace facegate {
namespace {

constexpr std::chrono::seconds kPatience(120);

class KillDuringFitTest : public RunFixture {
 protected:
  std::vector<std::string> Command(const std::string& run) const {
    return {FACEGATE_TRAIN, "fit", dir_.File(run), "--recipe", dir_.File("recipe.yaml")};
  }
  StatusOr<std::unique_ptr<ChildProcess>> Start(const std::string& run) const {
    return ChildProcess::Start(Command(run), dir_.File(run + ".log"));
  }
  // Files in the checkpoint folder; any kind.
  std::vector<std::string> Checkpoints(const std::string& run) const {
    std::vector<std::string> names;
    std::error_code error;
    for (const auto& entry :
         std::filesystem::directory_iterator(dir_.File(run + "/checkpoints"), error)) {
      names.push_back(entry.path().filename().string());
    }
    std::sort(names.begin(), names.end());
    return names;
  }
};

TEST_F(KillDuringFitTest, ComesToTheSameWeightsToTheBit) {
  Recipe recipe = SmallRecipe();
  const int kills = Rounds(3, 40);
  recipe.schedule.epochs = 2.0 * kills;  // twice the batches that the kills may wait for
  ASSERT_THAT(WriteFileAtomically(dir_.File("recipe.yaml"), RecipeToYaml(recipe)), IsOk());
  const auto whole = Start("whole");
  ASSERT_THAT(whole, IsOk());
  ASSERT_EQ((*whole)->Wait(kPatience), 0) << ReadFile(dir_.File("whole.log"), 1 << 20).value();

  std::mt19937 random(20);
  for (int kill = 0; kill < kills; ++kill) {
    const auto before = Checkpoints("killed");
    const auto process = Start("killed");
    ASSERT_THAT(process, IsOk());
    const auto deadline = std::chrono::steady_clock::now() + kPatience;
    while (Checkpoints("killed") == before && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(2));
    }
    // Anywhere from the middle of a checkpoint's writing to some batches later.
    std::this_thread::sleep_for(std::chrono::milliseconds(random() % 150));
    (*process)->Signal(SIGKILL);
    ASSERT_EQ((*process)->Wait(kPatience), 128 + SIGKILL) << "it ended before kill " << kill;
  }
  const auto last = Start("killed");
  ASSERT_THAT(last, IsOk());
  ASSERT_EQ((*last)->Wait(kPatience), 0) << ReadFile(dir_.File("killed.log"), 1 << 20).value();
  EXPECT_EQ(ReadFile(dir_.File("killed/model.safetensors"), 1 << 30).value(),
            ReadFile(dir_.File("whole/model.safetensors"), 1 << 30).value());
}

TEST_F(KillDuringFitTest, StopsWithACheckpointWhenAsked) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 1000.0;
  ASSERT_THAT(WriteFileAtomically(dir_.File("recipe.yaml"), RecipeToYaml(recipe)), IsOk());
  const auto process = Start("run");
  ASSERT_THAT(process, IsOk());
  const auto deadline = std::chrono::steady_clock::now() + kPatience;
  while (Checkpoints("run").empty() && std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(5));
  }
  (*process)->Signal(SIGTERM);
  EXPECT_EQ((*process)->Wait(kPatience), 0);
  EXPECT_THAT(ReadFile(dir_.File("run.log"), 1 << 20).value(), ::testing::HasSubstr("to go on"));
}

}  // namespace
}  // namespace facegate
