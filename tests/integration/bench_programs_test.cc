// The benchmark programs run: small and short, their figures mean nothing.
#include <gmock/gmock.h>

#include <chrono>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>
#include <string>
#include <vector>

#include "tests/support/child_process.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/support/test_data.h"

namespace facegate {
namespace {

using ::testing::AllOf;
using ::testing::HasSubstr;

CommandResult RunProgram(const std::vector<std::string>& argv) {
  const auto result = RunCommand(argv, std::chrono::seconds(100));
  EXPECT_THAT(result, IsOk());
  return result.ok() ? *result : CommandResult{.exit_code = -1};
}

TEST(EmbedBenchTest, PrintsARowForEachCase) {
  const CommandResult result =
      RunProgram({FACEGATE_EMBED_BENCH, "--architecture", "mobilefacenet-128", "--threads", "1",
                  "2", "--batch", "1", "3", "--seconds", "0.05"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  for (const char* row :
       {"       1      1 ", "       1      3 ", "       2      1 ", "       2      3 "}) {
    EXPECT_THAT(result.output, HasSubstr(std::string("mobilefacenet-128   ") + row));
  }
}

// compare_onnxruntime.py talks to this.
TEST(EmbedBenchTest, MeasuresOnCommand) {
  const TempDir dir;
  const CommandResult result =
      RunProgram({"/bin/sh", "-c",
                  std::string("printf '1 0.01\\n2 0.01\\n3 0.01\\n' | ") + FACEGATE_EMBED_BENCH +
                      " --architecture mobilefacenet-128 --threads 1 --batch 2 --on-command " +
                      dir.path().string()});
  EXPECT_NE(result.exit_code, 0);
  EXPECT_THAT(result.output,
              ::testing::MatchesRegex("ready\n[0-9.]+\n[0-9.]+\n.*batch of 1 to 2.*\n"));
  EXPECT_TRUE(std::filesystem::exists(dir.File("model.safetensors")));
  EXPECT_TRUE(std::filesystem::exists(dir.File("faces.safetensors")));
}

TEST(DegradationBenchTest, RefusesFilesThatCannotBeWrittenBeforeItBegins) {
  const TempDir dir;
  for (const char* option : {"--csv", "--dump"}) {
    const CommandResult result = RunProgram(
        {FACEGATE_DEGRADATION_BENCH, "--data", dir.path().string(), option, dir.File("absent/x")});
    EXPECT_EQ(result.exit_code, 2);
    EXPECT_THAT(result.output, HasSubstr("absent/x cannot be written"));
  }
}

TEST(DegradationBenchTest, RefusesToJudgeNoPhotos) {
  const TempDir dir;
  std::filesystem::create_directories(dir.path() / "lfw");
  std::ofstream(dir.File("lfw/landmarks.txt")) << "";
  const CommandResult result =
      RunProgram({FACEGATE_DEGRADATION_BENCH, "--data", dir.path().string(), "--clean-all"});
  EXPECT_EQ(result.exit_code, 2);
  EXPECT_THAT(result.output, HasSubstr("there are no photos"));
}

TEST(PipelineBenchTest, PrintsEachStepOfRealPhotos) {
  FACEGATE_DATA_OR_SKIP(data);
  for (const char* detector : {"yunet", "haar", "haar-eyes"}) {
    const CommandResult result =
        RunProgram({FACEGATE_PIPELINE_BENCH, "--data", data.string(), "--detector", detector,
                    "--photos", "4", "--gallery", "100"});
    EXPECT_EQ(result.exit_code, 0) << result.output;
    for (const char* step : {"\ndecode ", "\ndetect ", "\nalign ", "\nembed ", "\nsearch "}) {
      EXPECT_THAT(result.output, HasSubstr(step)) << detector;
    }
  }
}

TEST(PipelineBenchTest, SaysWhatIsMissingWithoutData) {
  const CommandResult result =
      RunProgram({"/usr/bin/env", "-u", "FACEGATE_DATA", FACEGATE_PIPELINE_BENCH, "--photos", "1"});
  EXPECT_EQ(result.exit_code, 1);
  EXPECT_THAT(result.output, AllOf(HasSubstr("FACEGATE_DATA"), HasSubstr("--photo-folder")));
}

// The figures as --json writes them.
nlohmann::json SearchFigures(const std::vector<std::string>& environment) {
  const TempDir dir;
  std::vector<std::string> argv{"/usr/bin/env", "-u", "FACEGATE_DATA", "-u", "FACEGATE_PYTHON"};
  argv.insert(argv.end(), environment.begin(), environment.end());
  const std::string json = dir.File("search.json");
  for (const char* word : {FACEGATE_SEARCH_BENCH, "--quick", "--rows", "300", "--threads", "1",
                           "--seconds", "0.001", "--json", json.c_str()}) {
    argv.emplace_back(word);
  }
  const CommandResult result = RunProgram(argv);
  EXPECT_EQ(result.exit_code, 0) << result.output;
  EXPECT_THAT(result.output, HasSubstr("codes by the kernel "));
  EXPECT_THAT(result.output, HasSubstr("SKIPPED: real photos"));
  std::ifstream file(json);
  return nlohmann::json::parse(file, nullptr, false);
}

TEST(SearchBenchTest, WritesTheFiguresOfEachCase) {
  const nlohmann::json figures = SearchFigures({});
  ASSERT_EQ(figures.size(), 6U);  // one or ten matches, batches of 1, 8 and 64
  for (const nlohmann::json& row : figures) {
    EXPECT_EQ(row["rows"], 300);
    EXPECT_EQ(row["dimension"], 512);
    EXPECT_EQ(row["threads"], 1);
    EXPECT_EQ(row["exact"], true);
    EXPECT_GT(row["ours_ms"], 0.0);
    EXPECT_GT(row["limit_ms"], 0.0);
    EXPECT_GT(row["reranked_share"], 0.0);
    EXPECT_EQ(row["peers"].size(), 2U);  // FAISS's and the matrix product
  }
  EXPECT_EQ(figures[5]["k"], 10);
  EXPECT_EQ(figures[5]["batch"], 64);
}

TEST(SearchBenchTest, AsksAnotherProcessForTheTimesOfItsPeers) {
  const TempDir dir;
  const std::string python = dir.File("python");
  std::ofstream(python)
      << "#!/bin/sh\n"
         "echo '{\"peers\": [\"a\"], \"versions\": \"\", \"found\": {\"a\": 1}}'\n"
         "while read -r line; do echo '{\"ms\": 1.5}'; done\n";
  std::filesystem::permissions(python, std::filesystem::perms::owner_all);
  const nlohmann::json figures = SearchFigures({"FACEGATE_PYTHON=" + python});
  ASSERT_EQ(figures.size(), 6U);
  for (const nlohmann::json& row : figures) {
    EXPECT_EQ(row["peers"]["a"], 1.5);
  }
}

TEST(GalleryLoadBenchTest, MeasuresEachPartAndKeepsItsStore) {
  const TempDir dir;
  const std::string json = dir.File("load.json");
  const CommandResult result = RunProgram({FACEGATE_GALLERY_LOAD_BENCH, "--templates", "2000",
                                           "--seconds", "0.01", "--rounds", "1", "--upkeep", "0.05",
                                           "--store", dir.File("stores"), "--json", json});
  ASSERT_EQ(result.exit_code, 0) << result.output;
  for (const char* part :
       {"opening a store of 2000", "resident bytes of a template",
        "identify p99, beside 8 writers / idle", "enrol p99, beside ",
        "enrolments / RocksDB alone, 64 writers", "a cancelled search", "given back"}) {
    EXPECT_THAT(result.output, HasSubstr(part));
  }
  std::ifstream file(json);
  const nlohmann::json figures = nlohmann::json::parse(file, nullptr, false);
  ASSERT_FALSE(figures.empty());
  EXPECT_EQ(figures[0]["at_most"], 0.12);
  // What was written beside the store is gone.
  std::vector<std::string> left;
  for (const auto& entry : std::filesystem::directory_iterator(dir.File("stores"))) {
    left.push_back(entry.path().filename().string());
  }
  EXPECT_THAT(left, ::testing::ElementsAre("templates-2000"));
}

TEST(GalleryLoadBenchTest, LeavesTheStoreAsItIs) {
  const TempDir dir;
  const std::vector<std::string> argv{
      FACEGATE_GALLERY_LOAD_BENCH, "--templates", "200",      "--upkeep", "0.02", "--store",
      dir.File("stores"),          "--only",      "deletions"};
  for (int i = 0; i < 2; ++i) EXPECT_EQ(RunProgram(argv).exit_code, 0);
}

TEST(TrainBenchTest, PrintsARowForEachCase) {
  const CommandResult result = RunProgram({FACEGATE_TRAIN_BENCH, "--threads", "1", "2", "--batch",
                                           "2", "3", "--classes", "10", "--seconds", "0.01"});
  EXPECT_EQ(result.exit_code, 0) << result.output;
  for (const char* row :
       {"       1      2 ", "       1      3 ", "       2      2 ", "       2      3 "}) {
    EXPECT_THAT(result.output, HasSubstr(std::string("mobilefacenet-128   ") + row));
  }
}

// compare_pytorch.py talks to this.
TEST(TrainBenchTest, MeasuresOnCommand) {
  const CommandResult result =
      RunProgram({"/bin/sh", "-c",
                  std::string("printf '0.01\\n0.01\\nnow\\n' | ") + FACEGATE_TRAIN_BENCH +
                      " --threads 1 --batch 2 --classes 1000 --on-command"});
  EXPECT_THAT(result.output, ::testing::MatchesRegex("ready 1[0-9]+\n[0-9.]+\n[0-9.]+\n.*"));
}

TEST(ComparePyTorchTest, ExplainsItselfAndNamesAMissingProgram) {
  const std::string script = std::string(FACEGATE_SOURCE_DIR) + "/tests/bench/compare_pytorch.py";
  const CommandResult help = RunProgram({"/usr/bin/python3", script, "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output, HasSubstr("examples:"));
  const TempDir dir;
  const CommandResult refused =
      RunProgram({"/usr/bin/python3", script, "--build", dir.path().string()});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("train_bench"));
}

TEST(CompareOnnxRuntimeTest, ExplainsItselfAndNamesAMissingProgram) {
  const std::string script =
      std::string(FACEGATE_SOURCE_DIR) + "/tests/bench/compare_onnxruntime.py";
  const CommandResult help = RunProgram({"/usr/bin/python3", script, "--help"});
  EXPECT_EQ(help.exit_code, 0);
  EXPECT_THAT(help.output, HasSubstr("examples:"));
  const TempDir dir;
  const CommandResult refused =
      RunProgram({"/usr/bin/python3", script, "--build", dir.path().string()});
  EXPECT_EQ(refused.exit_code, 1);
  EXPECT_THAT(refused.output, HasSubstr("embed_bench"));
}

}  // namespace
}  // namespace facegate
