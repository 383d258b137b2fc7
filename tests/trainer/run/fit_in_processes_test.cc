#include <unistd.h>

#include <csignal>
#include <fstream>
#include <sstream>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/trainer/run/run_fixture.h"
#include "trainer/parallel/gloo_group.h"

namespace facegate {
namespace {

constexpr std::chrono::seconds kProcessPatience(180);
constexpr std::chrono::seconds kSoon(60);

// Runs of facegate-train fit that start other processes.
class FitInProcessesTest : public RunFixture {
 protected:
  void SetUp() override {
    if (!HasGloo()) GTEST_SKIP() << "this build's LibTorch has no Gloo";
    RunFixture::SetUp();
  }

  StatusOr<std::unique_ptr<ChildProcess>> Start(const std::string& run, Recipe recipe,
                                                int64_t processes) const {
    recipe.machine.processes = processes;
    const std::string file = dir_.File(run + ".yaml");
    EXPECT_THAT(WriteFileAtomically(file, RecipeToYaml(recipe)), IsOk());
    return ChildProcess::Start({FACEGATE_TRAIN, "fit", dir_.File(run), "--recipe", file},
                               LogOf(run));
  }
  int Run(const std::string& run, const Recipe& recipe, int64_t processes) const {
    const auto process = Start(run, recipe, processes);
    EXPECT_THAT(process, IsOk());
    return (*process)->Wait(kProcessPatience).value_or(-1);
  }

  std::string LogOf(const std::string& run) const { return dir_.File(run + ".log"); }
  std::string Said(const std::string& run) const { return ReadFile(LogOf(run), 1 << 20).value(); }
  // The column "loss" of the steps.
  std::vector<double> Losses(const std::string& run) const {
    std::istringstream file(ReadFile(dir_.File(run + "/steps.csv"), 1 << 20).value());
    std::string line;
    std::getline(file, line);
    std::vector<double> losses;
    while (std::getline(file, line)) {
      std::istringstream row(line);
      std::string value;
      for (int column = 0; column < 3; ++column) std::getline(row, value, ',');
      losses.push_back(std::stod(value));
    }
    return losses;
  }
  bool WaitForACheckpoint(const std::string& run) const {
    const auto deadline = std::chrono::steady_clock::now() + kProcessPatience;
    std::error_code error;
    while (std::chrono::steady_clock::now() < deadline) {
      for (const auto& entry :
           std::filesystem::directory_iterator(dir_.File(run + "/checkpoints"), error)) {
        if (entry.path().extension() == ".safetensors") return true;
      }
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
    return false;
  }
  // The process that `parent` has started; 0: there is none.
  static pid_t StartedBy(pid_t parent) {
    std::ifstream file(fmt::format("/proc/{}/task/{}/children", parent, parent));
    pid_t child = 0;
    file >> child;
    return child;
  }
  // The other one of two processes as soon as it is there; what the run trains on is open by then.
  static pid_t JustStartedBy(pid_t parent) {
    const auto deadline = std::chrono::steady_clock::now() + kSoon;
    pid_t child = 0;
    while (child == 0 && std::chrono::steady_clock::now() < deadline) {
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
      child = StartedBy(parent);
    }
    return child;
  }
  static Recipe LongRecipe(Recipe recipe) {
    recipe.schedule.epochs = 1000.0;
    return recipe;
  }
};

TEST_F(FitInProcessesTest, TwoLearnWhatOneLearns) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 0.5;
  recipe.schedule.rate = 1e-4;
  ASSERT_EQ(Run("one", recipe, 1), 0) << Said("one");
  ASSERT_EQ(Run("two", recipe, 2), 0) << Said("two");
  const std::vector<double> one = Losses("one");
  const std::vector<double> two = Losses("two");
  ASSERT_EQ(one.size(), 6U);
  ASSERT_EQ(two.size(), 6U);
  for (size_t i = 0; i < one.size(); ++i) EXPECT_NEAR(two[i], one[i], 2e-3 * one[i]) << i;
}

TEST_F(FitInProcessesTest, NamesThePhotosThatAnyOfThemCannotRead) {
  for (size_t i = 0; i < kPhotos; ++i) {
    const std::string photo = fmt::format("{}/p0/{}.png", dir_.File("photos"), i);
    const std::string bytes = ReadFile(photo, 1 << 20).value();
    ASSERT_THAT(WriteFileAtomically(photo, bytes.substr(0, bytes.size() / 2)), IsOk());
  }
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 1.0;
  ASSERT_EQ(Run("run", recipe, 2), 0) << Said("run");
  for (size_t i = 0; i < kPhotos; ++i) {
    EXPECT_THAT(Said("run"), ::testing::ContainsRegex(fmt::format("left out: .*p0/{}.png", i)));
  }
}

TEST_F(FitInProcessesTest, RefusesKeysThatNeedTheWholeBatchOrACard) {
  const std::vector<std::pair<std::string, std::string>> settings = {
      {"data.batch", "5"},    {"machine.device", "cuda:0"}, {"network.precision", "fp16"},
      {"loss.likeness", "1"}, {"holdout.share", "0.1"},     {"teacher.model", "a.safetensors"}};
  for (const auto& [key, value] : settings) {
    Recipe recipe = SmallRecipe();
    recipe.machine.device = "auto";
    recipe.machine.processes = 2;
    ASSERT_THAT(CheckRecipe(recipe), IsOk());
    ASSERT_THAT(SetRecipeKey(key, value, "a test", recipe), IsOk());
    const Status status = CheckRecipe(recipe);
    EXPECT_THAT(status, StatusIs(StatusCode::kInvalidArgument)) << key;
    EXPECT_THAT(
        std::string(MessageOf(status)),
        ::testing::AllOf(::testing::HasSubstr("machine.processes"), ::testing::HasSubstr(key)));
  }
}

TEST_F(FitInProcessesTest, AKilledProcessEndsTheOthersAndTheRunGoesOn) {
  const auto process = Start("run", LongRecipe(SmallRecipe()), 4);
  ASSERT_THAT(process, IsOk());
  ASSERT_TRUE(WaitForACheckpoint("run")) << Said("run");
  const pid_t other = StartedBy((*process)->pid());
  ASSERT_GT(other, 0);
  kill(other, SIGKILL);
  EXPECT_EQ((*process)->Wait(kProcessPatience), 1);
  EXPECT_THAT(Said("run"), ::testing::HasSubstr("process 2 of 4 was ended by signal 9"));
  const auto again = Start("run", LongRecipe(SmallRecipe()), 4);
  ASSERT_THAT(again, IsOk());
  const auto deadline = std::chrono::steady_clock::now() + kProcessPatience;
  while (Said("run").find("going on after batch") == std::string::npos &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  (*again)->Signal(SIGTERM);
  EXPECT_EQ((*again)->Wait(kProcessPatience), 0) << Said("run");
  EXPECT_THAT(Said("run"), ::testing::HasSubstr("to go on"));
}

TEST_F(FitInProcessesTest, AProcessThatDiesAtItsStartEndsTheRunSoon) {
  const auto process = Start("run", SmallRecipe(), 2);
  ASSERT_THAT(process, IsOk());
  const pid_t other = JustStartedBy((*process)->pid());
  ASSERT_GT(other, 0);
  kill(other, SIGKILL);
  EXPECT_EQ((*process)->Wait(kSoon), 1);
  EXPECT_THAT(Said("run"), ::testing::HasSubstr("process 2 of 2 was ended by signal 9"));
}

TEST_F(FitInProcessesTest, ASignalToAllAtTheStartStopsTheRun) {
  const auto process = Start("run", LongRecipe(SmallRecipe()), 2);
  ASSERT_THAT(process, IsOk());
  const pid_t other = JustStartedBy((*process)->pid());
  ASSERT_GT(other, 0);
  kill(other, SIGINT);
  (*process)->Signal(SIGINT);
  EXPECT_EQ((*process)->Wait(kSoon), 0) << Said("run");
}

TEST_F(FitInProcessesTest, AProcessWhoseLeadingOneDiedBeforeItLookedEnds) {
  Recipe recipe = SmallRecipe();
  recipe.machine.processes = 2;
  ASSERT_THAT(WriteFileAtomically(dir_.File("recipe.yaml"), RecipeToYaml(recipe)), IsOk());
  const std::string nobody = std::to_string(getpid() + 1);
  const auto result = RunCommand(
      {FACEGATE_TRAIN, "fit", "--follow", dir_.File(""), "--rank", "1", "--leader", nobody}, kSoon);
  ASSERT_THAT(result, IsOk());
  EXPECT_EQ(result->exit_code, 1);
  EXPECT_THAT(result->output, ::testing::HasSubstr("process 1, which leads, has died"));
}

TEST_F(FitInProcessesTest, TheOthersEndWhenTheLeadingOneIsKilled) {
  const auto process = Start("run", LongRecipe(SmallRecipe()), 2);
  ASSERT_THAT(process, IsOk());
  ASSERT_TRUE(WaitForACheckpoint("run")) << Said("run");
  const pid_t other = StartedBy((*process)->pid());
  ASSERT_GT(other, 0);
  (*process)->Signal(SIGKILL);
  EXPECT_EQ((*process)->Wait(kProcessPatience), 128 + SIGKILL);
  const auto deadline = std::chrono::steady_clock::now() + kProcessPatience;
  while (Said("run").find("process 1 of 2, which leads, has died") == std::string::npos &&
         std::chrono::steady_clock::now() < deadline) {
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  EXPECT_THAT(Said("run"), ::testing::HasSubstr("process 1 of 2, which leads, has died"));
}

TEST_F(FitInProcessesTest, GoesOnWithAnotherNumberOfThem) {
  Recipe recipe = SmallRecipe();
  recipe.schedule.epochs = 0.5;
  ASSERT_EQ(Run("run", recipe, 2), 0) << Said("run");
  recipe.schedule.epochs = 1.0;
  ASSERT_EQ(Run("run", recipe, 1), 0) << Said("run");
  recipe.schedule.epochs = 1.5;
  ASSERT_EQ(Run("run", recipe, 3), 1) << "a batch of 4 has no three parts";
  ASSERT_EQ(Run("run", recipe, 4), 0) << Said("run");
  EXPECT_EQ(Losses("run").size(), 18U);
}

}  // namespace
}  // namespace facegate
