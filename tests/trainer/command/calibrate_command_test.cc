// facegate-train calibrate as it is called.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <nlohmann/json.hpp>
#include <sstream>

#include "face/base/file.h"
#include "face/weights/model_file.h"
#include "tests/support/random_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"
#include "trainer/command/calibrate.h"
#include "trainer/command/train_cli.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

constexpr size_t kCalibratedPeople = 20;

class CalibrateCommandTest : public ::testing::Test {
 protected:
  CalibrateCommandTest() {
    EXPECT_THAT(WriteRandomModel(model_, {.default_min_cosine = 0.9F}), IsOk());
    for (size_t person = 0; person < kCalibratedPeople; ++person) {
      for (size_t photo = 0; photo < (person < 3 ? 2U : 1U); ++photo) {
        const std::string path = photos_ + fmt::format("/p{}/{}.png", person, photo);
        std::filesystem::create_directories(std::filesystem::path(path).parent_path());
        const auto seed = static_cast<uint32_t>(10 * person + photo);
        EXPECT_THAT(WriteFileAtomically(path, Encode(SyntheticCrop(seed), ".png")), IsOk());
      }
    }
  }

  TrainExitCode Call(std::vector<std::string> arguments) {
    out_.str("");
    err_.str("");
    return RunTrainCli(arguments, out_, err_);
  }
  // The gate knows that drawn patterns are no faces.
  TrainExitCode Calibrate(std::vector<std::string> more = {}) {
    std::vector<std::string> arguments = {"calibrate",       model_, "--photos", photos_, "--crops",
                                          "--probe-quality", "0"};
    arguments.insert(arguments.end(), more.begin(), more.end());
    return Call(arguments);
  }
  std::string out() const { return out_.str(); }
  std::string err() const { return err_.str(); }

  TempDir dir_;
  const std::string model_ = dir_.File("model.safetensors");
  const std::string photos_ = dir_.File("staff");

 private:
  std::ostringstream out_;
  std::ostringstream err_;
};

TEST_F(CalibrateCommandTest, WritesTablesIntoTheCardAndLeavesTheModelAsItIs) {
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile before, ReadModelFile(model_));
  ASSERT_EQ(Calibrate(), TrainExitCode::kOk) << err();
  FACEGATE_ASSERT_OK_AND_ASSIGN(const ModelFile after, ReadModelFile(model_));
  EXPECT_EQ(after.card.model_digest, before.card.model_digest);
  ASSERT_TRUE(after.card.calibration.has_value());
  EXPECT_EQ(after.card.calibration->people, kCalibratedPeople);
  EXPECT_EQ(after.card.calibration->photos, 23U);
  EXPECT_EQ(after.card.calibration->genuine_people, 3U);
  EXPECT_EQ(after.card.calibration->set, "staff");
  EXPECT_THAT(out(), HasSubstr(after.card.calibration->id));
}

TEST_F(CalibrateCommandTest, LeavesNoEmbeddingsBehind) {
  ASSERT_EQ(Calibrate(), TrainExitCode::kOk) << err();
  size_t files = 0;
  for (const auto& entry : std::filesystem::directory_iterator(dir_.path())) {
    files += entry.is_regular_file() ? 1 : 0;
  }
  EXPECT_EQ(files, 1U);
}

TEST_F(CalibrateCommandTest, WritesAnotherFileOrNothingWhereItIsTold) {
  ASSERT_EQ(Calibrate({"--out", dir_.File("b.safetensors")}), TrainExitCode::kOk) << err();
  ASSERT_EQ(Calibrate({"--dry-run"}), TrainExitCode::kOk) << err();
  EXPECT_FALSE(ReadModelFile(model_)->card.calibration.has_value());
  EXPECT_TRUE(ReadModelFile(dir_.File("b.safetensors"))->card.calibration.has_value());
}

TEST_F(CalibrateCommandTest, ReplacesAnotherFileOnlyWhenToldTo) {
  ASSERT_THAT(WriteFileAtomically(dir_.File("b"), "something else"), IsOk());
  EXPECT_EQ(Calibrate({"--out", dir_.File("b")}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("--force"));
  EXPECT_EQ(Calibrate({"--out", dir_.File("b"), "--force"}), TrainExitCode::kOk) << err();
}

TEST_F(CalibrateCommandTest, EmbeddingsGiveTheSameAsPhotos) {
  ASSERT_EQ(Call({"embed", model_, photos_, "--crops", "--out", dir_.File("e.npy")}),
            TrainExitCode::kOk)
      << err();
  ASSERT_EQ(Call({"calibrate", model_, "--embeddings", dir_.File("e.npy"), "--set", "staff"}),
            TrainExitCode::kOk)
      << err();
  const std::string id = ReadModelFile(model_)->card.calibration->id;
  ASSERT_EQ(Calibrate(), TrainExitCode::kOk) << err();
  EXPECT_EQ(ReadModelFile(model_)->card.calibration->id, id);
}

TEST_F(CalibrateCommandTest, GoesOnWhereItWasStopped) {
  CalibrateOptions options{.model = model_, .photos = {photos_}};
  options.faces = {.crops = true};
  EXPECT_THAT(CalibrateModel(options, [](size_t done, size_t) { return done == 0; }),
              StatusIs(StatusCode::kUnavailable));
  FACEGATE_ASSERT_OK_AND_ASSIGN(const CalibrateReport report,
                                CalibrateModel(options, [](size_t, size_t) { return true; }));
  EXPECT_GT(report.resumed, 0U);
}

TEST_F(CalibrateCommandTest, PhotosBelowTheGateAreLeftOutAndNamed) {
  // Patterns are no faces: nobody is left.
  EXPECT_EQ(Call({"calibrate", model_, "--photos", photos_, "--crops"}), TrainExitCode::kFailed);
  EXPECT_THAT(err(), HasSubstr("not good enough to be compared"));
  EXPECT_FALSE(ReadModelFile(model_)->card.calibration.has_value());
}

TEST_F(CalibrateCommandTest, SummaryShowsWhatThresholdsCost) {
  ASSERT_EQ(Calibrate(), TrainExitCode::kOk) << err();
  ASSERT_EQ(Call({"summary", model_}), TrainExitCode::kOk) << err();
  EXPECT_THAT(out(), AllOf(HasSubstr("staff: 23 photos of 20 people"), HasSubstr("FMR 0.1"),
                           HasSubstr("too few people"), HasSubstr("(FMR ")));
}

TEST_F(CalibrateCommandTest, AnImportOfOtherWeightsHasNoCalibration) {
  ASSERT_EQ(Calibrate(), TrainExitCode::kOk) << err();
  const std::string half = dir_.File("half.safetensors");
  ASSERT_EQ(Call({"import", "--half", model_, half}), TrainExitCode::kOk) << err();
  EXPECT_FALSE(ReadModelFile(half)->card.calibration.has_value());
  const std::string same = dir_.File("same.safetensors");
  ASSERT_EQ(Call({"import", model_, same}), TrainExitCode::kOk) << err();
  EXPECT_TRUE(ReadModelFile(same)->card.calibration.has_value());
}

TEST_F(CalibrateCommandTest, JsonNamesWhatIsSupported) {
  ASSERT_EQ(Calibrate({"--json"}), TrainExitCode::kOk) << err();
  const auto json = nlohmann::json::parse(out());
  EXPECT_EQ(json["people"], kCalibratedPeople);
  EXPECT_TRUE(json["points"][0]["supported"]);
  EXPECT_FALSE(json["points"][5]["supported"]);
}

TEST_F(CalibrateCommandTest, WantsPhotosOrEmbeddings) {
  EXPECT_EQ(Call({"calibrate", model_}), TrainExitCode::kUsage);
  EXPECT_EQ(Calibrate({"--embeddings", "e.npy"}), TrainExitCode::kUsage);
}

}  // namespace
}  // namespace facegate
