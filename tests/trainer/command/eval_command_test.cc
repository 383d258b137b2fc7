// facegate-train eval as it is called.
#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "face/base/file.h"
#include "face/base/npy_header.h"
#include "tests/support/random_model.h"
#include "tests/support/status_matchers.h"
#include "tests/support/synthetic_crop.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"
#include "trainer/command/import.h"
#include "trainer/command/train_cli.h"
#include "trainer/embeddings/photo_embeddings.h"

namespace facegate {
namespace {

using ::testing::HasSubstr;

struct Answer {
  TrainExitCode code = TrainExitCode::kFailed;
  std::string out;
  std::string err;
};

Answer RunEval(std::vector<std::string> arguments) {
  arguments.insert(arguments.begin(), "eval");
  std::ostringstream out;
  std::ostringstream err;
  const TrainExitCode code = RunTrainCli(arguments, out, err);
  return {code, out.str(), err.str()};
}

// Six photos of three people on a circle, so that all figures are known.
class EvalCommandTest : public ::testing::Test {
 protected:
  EvalCommandTest() {
    const std::vector<std::pair<std::string, float>> photos = {
        {"a/1.jpg", 0.0f}, {"a/2.jpg", 0.1f}, {"b/1.jpg", 1.0f},
        {"b/2.jpg", 1.1f}, {"c/1.jpg", 2.0f}, {"c/2.jpg", 2.1f}};
    std::ofstream order(dir_.File("order"));
    std::ofstream values(dir_.File("values"), std::ios::binary);
    for (const auto& [name, angle] : photos) {
      order << name << "\n";
      const float row[2] = {2 * std::cos(angle), 2 * std::sin(angle)};
      values.write(reinterpret_cast<const char*>(row), sizeof row);
    }
    std::ofstream pairs(dir_.File("pairs"));
    for (int i = 0; i < 10; ++i) pairs << "a/1.jpg a/2.jpg 1\nb/1.jpg c/2.jpg 0\n";
  }
  std::vector<std::string> Arguments(std::vector<std::string> more = {}) {
    std::vector<std::string> all = {"--embeddings",     dir_.File("values"), "--order",
                                    dir_.File("order"), "--pairs",           dir_.File("pairs")};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  // Crops of the same names, and a model that recognises nobody.
  void MakeCrops() {
    ASSERT_THAT(WriteRandomModel(dir_.File("m.safetensors")), IsOk());
    for (uint32_t i = 0; i < 3; ++i) {
      for (const std::string photo : {"/1.jpg", "/2.jpg"}) {
        const std::string name = std::string(1, static_cast<char>('a' + i)) + photo;
        std::filesystem::create_directories(dir_.path() / name.substr(0, 1));
        ASSERT_THAT(WriteFileAtomically(dir_.File(name), Encode(SyntheticCrop(i), ".png")), IsOk());
      }
    }
  }
  std::vector<std::string> OfCrops(std::vector<std::string> more) {
    std::vector<std::string> all = {dir_.File("m.safetensors"), "--photos",
                                    dir_.path().string(),       "--pairs",
                                    dir_.File("pairs"),         "--crops"};
    all.insert(all.end(), more.begin(), more.end());
    return all;
  }

  TempDir dir_;
};

TEST_F(EvalCommandTest, PrintsTheFigures) {
  const Answer answer = RunEval(Arguments());
  ASSERT_EQ(answer.code, TrainExitCode::kOk) << answer.err;
  EXPECT_THAT(answer.out, HasSubstr("10 genuine, 10 impostor"));
  EXPECT_THAT(answer.out, HasSubstr("accuracy, exact thresholds        100.000 ± 0.000 %"));
  EXPECT_THAT(answer.out, HasSubstr("3 people, 3 probes, 0 strangers"));
  EXPECT_THAT(answer.out, HasSubstr("rank-1                            100.000 %"));
}

TEST_F(EvalCommandTest, GivesJson) {
  const Answer answer = RunEval(Arguments({"--json", "--far", "0.2"}));
  ASSERT_EQ(answer.code, TrainExitCode::kOk) << answer.err;
  const auto json = nlohmann::json::parse(answer.out);
  EXPECT_EQ(json["photos"], 6);
  EXPECT_EQ(json["accuracy_exact"]["mean"], 1.0);
  EXPECT_EQ(json["tar_at_far"].size(), 1u);
  EXPECT_EQ(json["identification"]["rank_1"]["value"], 1.0);
  EXPECT_EQ(json["identification"]["tpir_at_fpir"].size(), 0u);
}

TEST_F(EvalCommandTest, ReadsNpy) {
  const auto bytes = ReadFile(dir_.File("values"), 1000);
  ASSERT_THAT(bytes, IsOk());
  std::ofstream(dir_.File("values"), std::ios::binary) << NpyHeader({6, 2}) << *bytes;
  const Answer answer = RunEval(Arguments({"--json"}));
  ASSERT_EQ(answer.code, TrainExitCode::kOk) << answer.err;
  EXPECT_EQ(nlohmann::json::parse(answer.out)["accuracy_exact"]["mean"], 1.0);
  std::ofstream(dir_.File("values"), std::ios::binary) << NpyHeader({3, 4}) << *bytes;
  const Answer other = RunEval(Arguments());
  EXPECT_EQ(other.code, TrainExitCode::kFailed);
  EXPECT_THAT(other.err, HasSubstr("an array of shape (3, 4), expected 6 rows"));
}

TEST_F(EvalCommandTest, ListsRanksAndIntervals) {
  const Answer table = RunEval(Arguments({"--cmc", "3"}));
  ASSERT_EQ(table.code, TrainExitCode::kOk) << table.err;
  EXPECT_THAT(table.out,
              HasSubstr("rank-3                            100.000 %  [43.850, 100.000]"));
  EXPECT_EQ(table.out.find("rank-5"), std::string::npos);
  const auto json = nlohmann::json::parse(RunEval(Arguments({"--cmc", "3", "--json"})).out);
  EXPECT_EQ(json["identification"]["cmc"].size(), 3u);
  EXPECT_EQ(json["accuracy_exact"]["pairs"]["value"], 1.0);
  EXPECT_EQ(json["eer_interval"].size(), 2u);
  EXPECT_FALSE(json.contains("low_resolution"));
}

TEST_F(EvalCommandTest, PrintsARowForEachResolutionAndSide) {
  MakeCrops();
  const std::vector<std::string> arguments = OfCrops(
      {"--mirror", "concat", "--low-resolution", "2,8", "--low-resolution-side", "both,one"});
  const Answer table = RunEval(arguments);
  ASSERT_EQ(table.code, TrainExitCode::kOk) << table.err;
  for (const std::string row : {"1/2  both", "1/8  both", "1/2  one", "1/8  one"}) {
    EXPECT_THAT(table.out, HasSubstr(row));
  }
  std::vector<std::string> with_json = arguments;
  with_json.push_back("--json");
  const auto json = nlohmann::json::parse(RunEval(with_json).out);
  ASSERT_EQ(json["low_resolution"].size(), 4u);
  EXPECT_EQ(json["low_resolution"][3]["factor"], 8.0);
  EXPECT_EQ(json["low_resolution"][3]["side"], "one");
}

TEST_F(EvalCommandTest, TellsFailuresToAcquire) {
  const Answer table = RunEval(Arguments());
  EXPECT_THAT(table.out, HasSubstr("failure to acquire                0.000 [0.000, 56.150] %  (0 "
                                   "without a face)"));
  const auto json = nlohmann::json::parse(RunEval(Arguments({"--json"})).out);
  EXPECT_EQ(json["quality"]["failure_to_acquire"]["photos"], 6);
  EXPECT_EQ(json["quality"]["measured"], false);
  EXPECT_FALSE(json["quality"].contains("groups"));
}

TEST_F(EvalCommandTest, SaysThatPhotosWithoutAFolderArePeopleOfTheirOwn) {
  std::ofstream(dir_.File("order")) << "a/1.jpg\na/2.jpg\nb/1.jpg\nb/2.jpg\nc1.jpg\nc/2.jpg\n";
  const Answer answer = RunEval(Arguments());
  ASSERT_EQ(answer.code, TrainExitCode::kOk) << answer.err;
  EXPECT_THAT(answer.out, HasSubstr("1 of 6 photos lie in no folder that names a person"));
}

TEST_F(EvalCommandTest, JudgesAFileOfQualities) {
  std::ofstream(dir_.File("q")) << "a/1.jpg 0.9\na/2.jpg 0.8\nb/1.jpg 0.45\nb/2.jpg 0.7\n"
                                   "c/1.jpg 0.6\nc/2.jpg 0.3\n";
  const std::vector<std::string> arguments = {"--qualities", dir_.File("q"), "--far", "0.2"};
  const Answer table = RunEval(Arguments(arguments));
  ASSERT_EQ(table.code, TrainExitCode::kOk) << table.err;
  EXPECT_THAT(table.out, HasSubstr("2 below quality 0.5"));
  EXPECT_THAT(table.out, HasSubstr("1 below quality 0.4"));
  EXPECT_THAT(table.out, HasSubstr("error versus discard at cosine above"));
  std::vector<std::string> with_json = arguments;
  with_json.emplace_back("--json");
  const auto json = nlohmann::json::parse(RunEval(Arguments(with_json)).out);
  EXPECT_EQ(json["quality"]["discards"].size(), 1u);
  EXPECT_EQ(json["quality"]["failure_to_enrol"]["below_quality"], 2);
}

TEST_F(EvalCommandTest, GivesFiguresByGroup) {
  std::ofstream(dir_.File("g")) << "person,group\na,first\nb,second\nc,second\n";
  const std::vector<std::string> arguments = {"--groups", dir_.File("g"), "--report",
                                              dir_.File("page.html")};
  const Answer table = RunEval(Arguments(arguments));
  ASSERT_EQ(table.code, TrainExitCode::kOk) << table.err;
  EXPECT_THAT(table.out, HasSubstr("groups at cosine above"));
  EXPECT_THAT(ReadFile(dir_.File("page.html"), 10 << 20).value_or(""),
              HasSubstr("Groups of people"));
  const auto json =
      nlohmann::json::parse(RunEval(Arguments({"--groups", dir_.File("g"), "--json"})).out);
  const auto& groups = json["quality"]["groups"];
  ASSERT_EQ(groups.size(), 3u);
  EXPECT_EQ(groups[0]["group"], "first");
  EXPECT_EQ(groups[0]["rates"][0]["genuine_pairs"], 10);
  EXPECT_EQ(groups[1]["rates"][0]["impostor_pairs"], 10);
  EXPECT_EQ(groups[2]["people"], 3);
  EXPECT_GT(groups[2]["failure_to_acquire"]["rate"]["high"], 0.5);
}

TEST_F(EvalCommandTest, MeasuresStrangersWhoseCropsAreBadAlike) {
  MakeCrops();
  const Answer answer = RunEval(OfCrops({"--degrade", "shrink-20,mask", "--json"}));
  ASSERT_EQ(answer.code, TrainExitCode::kOk) << answer.err;
  const auto rows = nlohmann::json::parse(answer.out)["quality"]["strangers"]["rows"];
  ASSERT_EQ(rows.size(), 2u);
  EXPECT_EQ(rows[0]["degradation"], "shrink-20");
  const auto& counts = rows[1]["ungated"];
  EXPECT_EQ(counts["match"].get<int>() + counts["no_match"].get<int>(), 3);
}

TEST_F(EvalCommandTest, SaysThatItMeasuredWhereItDegradesAlone) {
  MakeCrops();
  const auto degraded =
      nlohmann::json::parse(RunEval(OfCrops({"--degrade", "shrink-8", "--json"})).out)["quality"];
  const auto measured =
      nlohmann::json::parse(RunEval(OfCrops({"--quality", "--json"})).out)["quality"];
  EXPECT_EQ(degraded["measured"], true);
  EXPECT_EQ(degraded["failure_to_acquire"], measured["failure_to_acquire"]);
  EXPECT_EQ(degraded["discards"].size(), 0u);
  EXPECT_GT(measured["discards"].size(), 0u);
  EXPECT_THAT(RunEval(OfCrops({"--degrade", "shrink-8"})).out, HasSubstr("below quality 0.4"));
}

TEST_F(EvalCommandTest, JudgesDegradedPhotosByTheNetworksBesideAFileOfQualities) {
  MakeCrops();
  std::ofstream(dir_.File("q")) << "a/1.jpg 0.9\na/2.jpg 0.9\nb/1.jpg 0.9\nb/2.jpg 0.9\n"
                                   "c/1.jpg 0.9\nc/2.jpg 0.1\n";
  const auto json = nlohmann::json::parse(
      RunEval(OfCrops({"--degrade", "shrink-8", "--qualities", dir_.File("q"), "--json"})).out);
  EXPECT_EQ(json["quality"]["failure_to_acquire"]["below_quality"], 1);
  EXPECT_EQ(json["quality"]["strangers"]["rows"][0]["gated"]["inconclusive"], 3);
}

TEST_F(EvalCommandTest, RefusesStrangersWhoMayBeOnePerson) {
  std::ofstream(dir_.File("pairs"), std::ios::app) << "a/1.jpg a3.jpg 1\n";
  const Answer answer = RunEval(OfCrops({"--degrade", "mask"}));
  EXPECT_EQ(answer.code, TrainExitCode::kUsage);
  EXPECT_THAT(answer.err, HasSubstr("a3.jpg lies in no folder that names its person"));
}

TEST_F(EvalCommandTest, RefusesMorePairsOfStrangersThanItCanCompare) {
  const Answer answer = RunEval(OfCrops({"--degrade", "mask", "--degrade-people", "2001"}));
  EXPECT_EQ(answer.code, TrainExitCode::kUsage);
  EXPECT_THAT(answer.err, HasSubstr("--degrade-people"));
  EXPECT_THAT(answer.err, HasSubstr("2000"));
}

TEST_F(EvalCommandTest, RefusesQualitiesThatCannotBeMeasured) {
  EXPECT_EQ(RunEval(Arguments({"--quality"})).code, TrainExitCode::kUsage);
  EXPECT_EQ(RunEval(Arguments({"--degrade", "all"})).code, TrainExitCode::kUsage);
  const Answer unknown = RunEval({"m", "--photos", "p", "--pairs", "x", "--degrade", "fog-3"});
  EXPECT_EQ(unknown.code, TrainExitCode::kUsage);
  EXPECT_THAT(unknown.err, HasSubstr("shrink-enlarge-NUMBER"));
}

TEST_F(EvalCommandTest, RefusesWhatDoesNotFit) {
  EXPECT_EQ(RunEval({"--pairs", dir_.File("pairs")}).code, TrainExitCode::kUsage);
  EXPECT_EQ(RunEval(Arguments({"model.safetensors"})).code, TrainExitCode::kUsage);
  EXPECT_EQ(RunEval(Arguments({"--low-resolution", "2"})).code, TrainExitCode::kUsage);
  EXPECT_EQ(RunEval(Arguments({"--photos", "p"})).code, TrainExitCode::kUsage);
  EXPECT_EQ(RunEval(Arguments({"--centre-crop", "112"})).code, TrainExitCode::kUsage);
  EXPECT_EQ(RunEval({"m", "--photos", "p", "--pairs", "x", "--low-resolution", "0.5"}).code,
            TrainExitCode::kUsage);
  EXPECT_EQ(RunEval({"m", "--photos", "p", "--pairs", "x", "--low-resolution-side", "two"}).code,
            TrainExitCode::kUsage);
  EXPECT_EQ(RunEval({"m", "--pairs", dir_.File("pairs")}).code, TrainExitCode::kUsage);
  const Answer missing = RunEval(Arguments({"--far", "1"}));
  EXPECT_EQ(missing.code, TrainExitCode::kFailed);
  EXPECT_THAT(missing.err, HasSubstr("0 to below 1"));
  std::ofstream(dir_.File("values"), std::ios::app) << "half";
  const Answer torn = RunEval(Arguments());
  EXPECT_EQ(torn.code, TrainExitCode::kFailed);
  EXPECT_THAT(torn.err, HasSubstr("52 bytes, which are not 6 rows"));
}

TEST_F(EvalCommandTest, NamesAPhotoThatHasNoEmbedding) {
  std::ofstream(dir_.File("pairs"), std::ios::app) << "a/1.jpg d/1.jpg 0\n";
  const Answer unknown = RunEval(Arguments());
  EXPECT_EQ(unknown.code, TrainExitCode::kFailed);
  EXPECT_THAT(unknown.err, HasSubstr("d/1.jpg"));
}

TEST(LandmarksTest, ReadsFivePointsAPhoto) {
  const TempDir dir;
  std::ofstream(dir.File("l"))
      << "a.jpg\t1\t2\t3\t4\t5\t6\t7\t8\t9\t10.5\t0.9\nb.jpg 1 1 1 1 1 1 1 1 1 1\n";
  const auto table = ReadLandmarks(dir.File("l"));
  ASSERT_THAT(table, IsOk());
  EXPECT_EQ(table->size(), 2u);
  EXPECT_EQ(table->at("a.jpg").back(), cv::Point2f(9, 10.5));
  std::ofstream(dir.File("l")) << "a.jpg 1 2 3\n";
  EXPECT_THAT(ReadLandmarks(dir.File("l")), StatusIs(StatusCode::kInvalidArgument));
}

// The first folds of LFW, in its own form.
std::string FirstFolds(const std::string& path, size_t folds) {
  std::istringstream list(ReadFile(path, 1 << 20).value_or(""));
  std::string line;
  std::getline(list, line);
  std::string lines = fmt::format("{}\t300\n", folds);
  for (size_t i = 0; i < 600 * folds && std::getline(list, line); ++i) lines += line + "\n";
  return lines;
}

// The published weights, through our own alignment by given landmarks, give the figures of the
// embeddings that their own code made; LfwGoldenTest has those of all folds.
TEST(EvalGoldenTest, ReachesTheReferenceOnLfw) {
  FACEGATE_DATA_OR_SKIP(data);
  const TempDir dir;
  ImportOptions import;
  import.source = (data / "weights/arcface_mobilefacenet.pth").string();
  import.out = dir.File("m.safetensors");
  import.card.preset = "bubbliiiing";
  ASSERT_THAT(ImportModel(import), IsOk());
  const std::string pairs = dir.File("pairs.txt");
  ASSERT_THAT(WriteFileAtomically(pairs, FirstFolds((data / "lfw/pairs.txt").string(), 3)), IsOk());
  const auto figures = [&](std::vector<std::string> arguments) {
    arguments.insert(arguments.end(), {"--pairs", pairs, "--far", "0.01", "--json"});
    const Answer answer = RunEval(std::move(arguments));
    EXPECT_EQ(answer.code, TrainExitCode::kOk) << answer.err;
    return nlohmann::json::parse(answer.out, nullptr, false);
  };
  const auto ours = figures({import.out, "--photos", (data / "lfw/photos").string(), "--landmarks",
                             (data / "lfw/landmarks.txt").string()});
  const auto theirs = figures({"--embeddings", (data / "lfw/embeddings_seed002.f32").string(),
                               "--with-mirrors", "--order", (data / "lfw/order.txt").string()});
  const auto percent = [](const nlohmann::json& share) { return 100.0 * share.get<double>(); };
  EXPECT_NEAR(percent(ours["accuracy_exact"]["mean"]), percent(theirs["accuracy_exact"]["mean"]),
              0.2);
  EXPECT_NEAR(percent(ours["tar_at_far"][0]["tar"]["value"]),
              percent(theirs["tar_at_far"][0]["tar"]["value"]), 1.0);
  EXPECT_GT(percent(ours["identification"]["rank_1"]["value"]), 88.0);
}

}  // namespace
}  // namespace facegate
