// facegate-train drop as it is called.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "tests/trainer/command/run_command.h"
#include "tests/trainer/run/run_fixture.h"
#include "trainer/command/drop.h"
#include "trainer/run/fit.h"
#include "trainer/run/resolved_recipe.h"
#include "trainer/run/training_data.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class DropCommandTest : public RunFixture {
 protected:
  static constexpr size_t kAll = 12;  // photos, two of each

  void SetUp() override {
    RunFixture::SetUp();
    for (size_t person = 0; person < kPeople; ++person) {
      for (size_t i = 2; i < kPhotos; ++i) {
        std::filesystem::remove(dir_.File(fmt::format("photos/p{}/{}.png", person, i)));
      }
    }
  }
  // A run of a few batches, which has one checkpoint.
  Recipe Train(const std::string& run, int64_t centers) {
    Recipe recipe = SmallRecipe();
    recipe.head.sub_centers = centers;
    recipe.data.leave_out = leave_out_;
    recipe.holdout.share = share_;
    std::ostringstream said;
    Session session({.out = said, .progress = said, .threads = 1});
    EXPECT_THAT(Fit(recipe, {.directory = dir_.File(run), .stop_after = 2}, session), IsOk());
    return recipe;
  }
  // Runs the command, whose text goes to `out_`.
  Status Run(std::vector<std::string> arguments) {
    arguments.insert(arguments.begin(), "drop");
    return RunCommand({AddDropCommand}, arguments, out_);
  }
  static std::ptrdiff_t LinesOf(const std::string& path) {
    return std::ranges::count(ReadFile(path, 1 << 20).value_or(""), '\n');
  }
  std::string Refusal(std::vector<std::string> arguments) {
    const Status status = Run(std::move(arguments));
    return FieldOf(status) + ": " + std::string(MessageOf(status));
  }

  std::string leave_out_;
  double share_ = 0.0;
  std::string out_;
};

TEST_F(DropCommandTest, HelpHasAnExampleOfTheWholeWay) {
  CLI::App app("facegate-train");
  const TrainCommand command = AddDropCommand(app);
  EXPECT_THAT(command.app->help(), AllOf(HasSubstr("drop runs/a --out wrong.txt"),
                                         HasSubstr("data.leave_out=wrong.txt"), HasSubstr("=75")));
}

// The list has what the run had left out, too, in another folder than that list.
TEST_F(DropCommandTest, WritesAListThatFitReads) {
  leave_out_ = dir_.File("lists.txt");
  ASSERT_THAT(WriteFileAtomically(leave_out_, "photos/p1/0.png\n"), IsOk());
  Recipe recipe = Train("run", 2);
  ASSERT_THAT(Run({dir_.File("run"), "--angle", "0", "--json"}), IsOk());
  const auto all = nlohmann::json::parse(out_);
  EXPECT_EQ(all["photos"], kAll - 1);
  EXPECT_EQ(all["identities"][2]["name"], "p2");
  EXPECT_EQ(all["identities"][1]["nearest"].size(), 2U);
  ASSERT_EQ(all["far_photos"].size(), kAll - 1);

  // Two photos are above the angle.
  std::vector<double> degrees;
  for (const auto& one : all["far_photos"]) degrees.push_back(one["degrees"]);
  std::sort(degrees.begin(), degrees.end());
  const double angle = 0.5 * (degrees[kAll - 4] + degrees[kAll - 3]);
  std::filesystem::create_directories(dir_.File("other"));
  const std::string list = dir_.File("other/far.txt");
  ASSERT_THAT(Run({dir_.File("run"), "--angle", fmt::format("{}", angle), "--out", list}), IsOk());
  EXPECT_THAT(out_,
              AllOf(HasSubstr("11 of 6 identities, 2 centres each"),
                    HasSubstr("angle to the dominant centre"), HasSubstr("2 photos (18.18 %)"),
                    HasSubstr("with 1 photo that the run had left out")));
  const std::string lines = ReadFile(list, 1 << 20).value_or("");
  EXPECT_THAT(lines, HasSubstr("photos/p1/0.png\n"));
  recipe.data.leave_out = list;
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TrainingData data,
                                OpenTrainingData(DataOptionsOf(SpelledOut(recipe))));
  EXPECT_EQ(data.training->size(), kAll - 3);
  EXPECT_THAT(data.notes, ::testing::Not(::testing::Contains(HasSubstr("name no photo"))));
}

TEST_F(DropCommandTest, SaysWhatItCannotReadCentresOf) {
  EXPECT_THAT(Refusal({dir_.File("photos")}),
              AllOf(StartsWith("RUN: "), HasSubstr("neither the folder of a run")));
  EXPECT_THAT(Refusal({dir_.File("photos/p1/1.png")}),
              AllOf(StartsWith("RUN: "), HasSubstr("recipe.yaml")));
  Train("run", 1);
  ASSERT_THAT(Run({dir_.File("run"), "--angle", "180"}), IsOk());
  EXPECT_THAT(out_, HasSubstr("head.sub_centers=3"));
  EXPECT_THAT(Refusal({dir_.File("run"), "--angle", "0", "--out", dir_.File("far.txt")}),
              HasSubstr("learned too little"));
  EXPECT_FALSE(std::filesystem::exists(dir_.File("far.txt")));
  std::filesystem::rename(dir_.File("photos/p1"), dir_.File("photos/q1"));
  EXPECT_THAT(Refusal({dir_.File("run")}), HasSubstr("classes of its head are other people"));
}

TEST_F(DropCommandTest, CountsAndListsKeptPhotosByThemselves) {
  share_ = 0.4;
  const Recipe recipe = Train("run", 1);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const TrainingData data,
                                OpenTrainingData(DataOptionsOf(SpelledOut(recipe))));
  const size_t kept = data.validation->size();
  ASSERT_THAT(Run({dir_.File("run"), "--angle", "0", "--json"}), IsOk());
  const auto all = nlohmann::json::parse(out_);
  EXPECT_EQ(all["far_kept"], kept);
  EXPECT_EQ(all["photos"], kAll - kept);
  EXPECT_EQ(all["far"], kAll - kept);
  double most = 0.0;
  for (const auto& one : all["far_photos"]) {
    if (one["kept"] == false) most = std::max(most, one["degrees"].get<double>());
  }
  // One photo of those trained on is above it.
  const double angle = most - 1e-9;
  const auto far_kept = std::ranges::count_if(all["far_photos"], [&](const auto& one) {
    return one["kept"] == true && one["degrees"].template get<double>() > angle;
  });
  const std::string list = dir_.File("far.txt");
  const std::vector<std::string> arguments = {dir_.File("run"), "--angle", fmt::format("{}", angle),
                                              "--out", list};
  ASSERT_THAT(Run(arguments), IsOk());
  EXPECT_THAT(
      out_,
      AllOf(HasSubstr(fmt::format("far           1 photo ({:.2f} %)",
                                  100.0 / static_cast<double>(kAll - kept))),
            HasSubstr(fmt::format("{} of {} photos that training did not see", far_kept, kept)),
            HasSubstr("list          " + list)));
  EXPECT_EQ(LinesOf(list), 1);
  std::vector<std::string> with_kept = arguments;
  with_kept.emplace_back("--kept");
  ASSERT_THAT(Run(with_kept), IsOk());
  EXPECT_EQ(LinesOf(list), 1 + far_kept);
}

TEST_F(DropCommandTest, RefusesToListKeptPhotosNowhere) {
  EXPECT_THAT(Refusal({dir_.File("run"), "--kept"}),
              AllOf(StartsWith("--kept: "), HasSubstr("--out")));
}

TEST_F(DropCommandTest, NamesWithLineEndsAreNotListed) {
  std::filesystem::rename(dir_.File("photos/p1/0.png"), dir_.File("photos/p1/0\n1.png"));
  Train("run", 1);
  ASSERT_THAT(Run({dir_.File("run"), "--angle", "0", "--json"}), IsOk());
  const auto all = nlohmann::json::parse(out_);
  std::vector<double> degrees;
  double broken = 0.0;
  for (const auto& one : all["far_photos"]) {
    degrees.push_back(one["degrees"]);
    if (one["photo"].get<std::string>().find('\n') != std::string::npos) broken = one["degrees"];
  }
  std::ranges::sort(degrees);
  const double least = broken == degrees.front() ? degrees[1] : degrees.front();
  const std::string list = dir_.File("far.txt");
  ASSERT_THAT(Run({dir_.File("run"), "--angle", fmt::format("{}", std::min(least, broken) + 1e-9),
                   "--out", list}),
              IsOk());
  EXPECT_THAT(out_, HasSubstr("1 photo is not in the list, because its name has a line end"));
  EXPECT_EQ(ReadFile(list, 1 << 20).value_or("").find("\n1.png"), std::string::npos);
}

TEST_F(DropCommandTest, PrintsNamesAsText) {
  Train("run\x1b[2J", 1);
  ASSERT_THAT(Run({dir_.File("run\x1b[2J"), "--angle", "180"}), IsOk());
  EXPECT_THAT(out_, HasSubstr(R"(run\x1b[2J/checkpoints)"));
  EXPECT_EQ(out_.find('\x1b'), std::string::npos);
}

// The same photos in another place; the checkpoint is named itself.
TEST_F(DropCommandTest, TakesPhotosThatWereMoved) {
  Train("run", 1);
  std::filesystem::rename(dir_.File("photos"), dir_.File("moved"));
  EXPECT_THAT(Run({dir_.File("run/checkpoints/batch-000000002.safetensors"), "--data",
                   dir_.File("moved"), "--angle", "180"}),
              IsOk());
}

}  // namespace
}  // namespace facegate
