#include "trainer/report/run_log.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <cmath>
#include <fstream>
#include <nlohmann/json.hpp>
#include <sstream>

#include "face/base/file.h"
#include "tests/support/fake_clock.h"
#include "tests/support/status_matchers.h"
#include "tests/support/temp_dir.h"
#include "tests/trainer/report/event_reader.h"

namespace facegate::report {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

class RunLogTest : public ::testing::Test {
 protected:
  std::unique_ptr<RunLog> Open(int64_t resume_batch) {
    clock_.Advance(std::chrono::seconds(1));
    auto log = RunLog::Open(folder_, resume_batch, clock_);
    EXPECT_THAT(log, IsOk());
    return *std::move(log);
  }
  // Batches 0 … count-1, with an evaluation before the first and after each fourth.
  void WriteRun(int64_t count) {
    const auto log = Open(0);
    for (int64_t batch = 0; batch < count; ++batch) {
      if (batch % 4 == 0) {
        ASSERT_THAT(log->Evaluation({.batch = batch, .set = "lfw", .accuracy = 0.5}), IsOk());
      }
      ASSERT_THAT(log->Step({.batch = batch, .epoch = 0.1, .loss = 1.0}), IsOk());
    }
  }
  std::vector<int64_t> StepBatches() {
    std::vector<int64_t> batches;
    const auto rows = ReadSteps(folder_);
    EXPECT_THAT(rows, IsOk());
    for (const StepRow& row : *rows) batches.push_back(row.batch);
    return batches;
  }
  std::vector<int64_t> EvaluationBatches() {
    std::vector<int64_t> batches;
    const auto rows = ReadEvaluations(folder_);
    EXPECT_THAT(rows, IsOk());
    for (const EvaluationRow& row : *rows) batches.push_back(row.batch);
    return batches;
  }
  std::vector<nlohmann::json> LogLines() {
    std::ifstream file(dir_.File("log.jsonl"));
    std::vector<nlohmann::json> lines;
    for (std::string line; std::getline(file, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
  }
  void Append(const std::string& name, const std::string& bytes) {
    std::ofstream(dir_.File(name), std::ios::app) << bytes;
  }

  TempDir dir_;
  const std::string folder_ = dir_.path().string();
  FakeClock clock_;
};

TEST_F(RunLogTest, RowsComeBackBitForBit) {
  const StepRow step{.batch = 3,
                     .epoch = 1.0 / 3.0,
                     .loss = 1e-300,
                     .distillation = kNotMeasured,
                     .accuracy = 0.1,
                     .learning_rate = HUGE_VAL,
                     .gradient_norm = -0.0,
                     .images_per_second = 123.456789012345678};
  const EvaluationRow evaluation{.batch = 4,
                                 .epoch = 2.0,
                                 .set = "a, \"quoted\" näme",
                                 .accuracy = 0.98466666666666669,
                                 .deviation = kNotMeasured,
                                 .tar_1e2 = 0.981,
                                 .tar_1e3 = 0.9,
                                 .eer = 0.014,
                                 .auc = 0.99,
                                 .d_prime = 4.2,
                                 .threshold = 0.31};
  {
    const auto log = Open(0);
    ASSERT_THAT(log->Step(step), IsOk());
    ASSERT_THAT(log->Evaluation(evaluation), IsOk());
  }
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto steps, ReadSteps(folder_));
  ASSERT_EQ(steps.size(), 1U);
  EXPECT_EQ(steps[0].batch, step.batch);
  EXPECT_EQ(steps[0].epoch, step.epoch);
  EXPECT_EQ(steps[0].loss, step.loss);
  EXPECT_TRUE(std::isnan(steps[0].distillation));
  EXPECT_EQ(steps[0].learning_rate, step.learning_rate);
  EXPECT_TRUE(std::signbit(steps[0].gradient_norm));
  EXPECT_EQ(steps[0].images_per_second, step.images_per_second);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto evaluations, ReadEvaluations(folder_));
  ASSERT_EQ(evaluations.size(), 1U);
  EXPECT_EQ(evaluations[0].set, evaluation.set);
  EXPECT_EQ(evaluations[0].accuracy, evaluation.accuracy);
  EXPECT_TRUE(std::isnan(evaluations[0].deviation));
  EXPECT_EQ(evaluations[0].d_prime, evaluation.d_prime);
  EXPECT_EQ(evaluations[0].threshold, evaluation.threshold);
}

TEST_F(RunLogTest, LogHasAJsonObjectForEachRowAndNote) {
  {
    const auto log = Open(0);
    ASSERT_THAT(log->Note("begins \"now\"\n\xff"), IsOk());
    ASSERT_THAT(log->Step({.batch = 0, .loss = 2.5}), IsOk());
    ASSERT_THAT(log->Evaluation({.batch = 1, .set = "lfw", .accuracy = 0.75}), IsOk());
  }
  const std::vector<nlohmann::json> lines = LogLines();
  ASSERT_EQ(lines.size(), 3U);
  EXPECT_EQ(lines[0]["kind"], "note");
  EXPECT_THAT(lines[0]["text"].get<std::string>(), HasSubstr("begins \"now\"\n"));
  EXPECT_EQ(lines[0]["time"], "2023-11-14T22:13:22.000Z");
  EXPECT_EQ(lines[1]["kind"], "step");
  EXPECT_EQ(lines[1]["loss"], 2.5);
  EXPECT_TRUE(lines[1]["distillation"].is_null());
  EXPECT_EQ(lines[2]["set"], "lfw");
  EXPECT_EQ(lines[2]["accuracy"], 0.75);
}

TEST_F(RunLogTest, GoesOnWithARunThatHadFewerColumns) {
  Open(0);
  const std::string path = dir_.File("steps.csv");
  ASSERT_THAT(WriteFileAtomically(path, "batch,epoch,loss,accuracy\n0,0.5,2.5,0.25\n1,1,2,\n"),
              IsOk());
  Open(1);
  const auto steps = ReadSteps(dir_.path().string());
  ASSERT_THAT(steps, IsOk());
  ASSERT_EQ(steps->size(), 1U);
  EXPECT_EQ((*steps)[0].loss, 2.5);
  EXPECT_EQ((*steps)[0].accuracy, 0.25);
  EXPECT_TRUE(std::isnan((*steps)[0].distillation));
  ASSERT_THAT(WriteFileAtomically(path, "batch,epoch,colour\n0,0.5,2.5\n"), IsOk());
  EXPECT_THAT(ReadSteps(dir_.path().string()), StatusIs(StatusCode::kDataLoss));
}

TEST_F(RunLogTest, ResumedRunLosesWhatCameAfterTheCheckpoint) {
  WriteRun(10);
  Open(0);  // from the beginning: nothing stays
  EXPECT_THAT(StepBatches(), IsEmpty());
  EXPECT_THAT(EvaluationBatches(), IsEmpty());
  WriteRun(10);
  Open(4);
  EXPECT_THAT(StepBatches(), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(EvaluationBatches(), ElementsAre(0, 4));
}

TEST_F(RunLogTest, LogOfAResumedRunHasNoBatchTwiceAndKeepsNotes) {
  WriteRun(4);
  ASSERT_THAT(Open(2)->Note("goes on"), IsOk());
  const auto log = Open(2);
  for (int64_t batch = 2; batch < 4; ++batch) {
    ASSERT_THAT(log->Step({.batch = batch, .loss = 1.0}), IsOk());
  }
  ASSERT_THAT(log->Flush(), IsOk());
  std::vector<int64_t> steps;
  int notes = 0;
  for (const nlohmann::json& line : LogLines()) {
    if (line["kind"] == "step") steps.push_back(line["batch"].get<int64_t>());
    notes += line["kind"] == "note" ? 1 : 0;
  }
  EXPECT_THAT(steps, ElementsAre(0, 1, 2, 3));
  EXPECT_EQ(notes, 1);
  EXPECT_THAT(StepBatches(), ElementsAre(0, 1, 2, 3));
}

TEST_F(RunLogTest, ALastLineThatWasCutOffIsDropped) {
  WriteRun(3);
  Append("steps.csv", "3,0.1,1.0,,0.");
  Append("evaluations.csv", "4,0.1,lf");
  Append("log.jsonl", "{\"time\":\"20");
  EXPECT_THAT(StepBatches(), ElementsAre(0, 1, 2));  // also for a reader
  {
    const auto log = Open(3);
    ASSERT_THAT(log->Step({.batch = 3, .loss = 1.0}), IsOk());
  }
  EXPECT_THAT(StepBatches(), ElementsAre(0, 1, 2, 3));
  EXPECT_THAT(EvaluationBatches(), ElementsAre(0));
  EXPECT_EQ(LogLines().size(), 5U);
}

TEST_F(RunLogTest, ARowThatCannotBeReadIsNamedAndNotLost) {
  WriteRun(3);
  Append("steps.csv", "3,0.1,no number,,,,,\n");
  const auto log = RunLog::Open(folder_, 4, clock_);
  EXPECT_THAT(log, StatusIs(StatusCode::kDataLoss));
  EXPECT_THAT(std::string(MessageOf(log.status())), HasSubstr("steps.csv, line 5"));
  EXPECT_THAT(ReadSteps(folder_), StatusIs(StatusCode::kDataLoss));
}

TEST_F(RunLogTest, LinesOfOthersInTheLogStay) {
  WriteRun(2);
  Append("log.jsonl", "a line of somebody else\n[1]\n{\"kind\":\"step\",\"batch\":\"x\"}\n");
  Open(0);
  FACEGATE_ASSERT_OK_AND_ASSIGN(const std::string text, ReadFile(dir_.File("log.jsonl"), 1 << 20));
  EXPECT_EQ(text, "a line of somebody else\n[1]\n{\"kind\":\"step\",\"batch\":\"x\"}\n");
}

TEST_F(RunLogTest, RefusesANegativeBatchAndANameWithALineEnd) {
  EXPECT_THAT(RunLog::Open(folder_, -1, clock_), StatusIs(StatusCode::kInvalidArgument));
  EXPECT_THAT(Open(0)->Evaluation({.set = "a\nb"}), StatusIs(StatusCode::kInvalidArgument));
}

TEST_F(RunLogTest, ADirectoryWithoutFilesHasNoRows) {
  EXPECT_THAT(StepBatches(), IsEmpty());
  EXPECT_THAT(EvaluationBatches(), IsEmpty());
}

TEST_F(RunLogTest, OthersSeeRowsWithinSecondsAndAllAfterSync) {
  const auto log = Open(0);
  ASSERT_THAT(log->Step({.batch = 0, .loss = 1.0}), IsOk());
  EXPECT_THAT(StepBatches(), IsEmpty());
  clock_.Advance(std::chrono::seconds(6));
  ASSERT_THAT(log->Step({.batch = 1, .loss = 1.0}), IsOk());
  EXPECT_THAT(StepBatches(), ElementsAre(0, 1));
  ASSERT_THAT(log->Step({.batch = 2, .loss = 1.0}), IsOk());
  ASSERT_THAT(log->Sync(), IsOk());
  EXPECT_THAT(StepBatches(), ElementsAre(0, 1, 2));
}

TEST_F(RunLogTest, EachStartHasAnEventFileThatVoidsWhatIsRepeated) {
  WriteRun(6);
  {
    const auto log = Open(4);
    ASSERT_THAT(log->Step({.batch = 4, .loss = 3.0}), IsOk());
  }
  const std::vector<std::string> files = EventFilesOf(dir_.path());
  ASSERT_EQ(files.size(), 2U);
  const std::vector<tensorboard::Event> events = ReadEvents(files[1]);
  ASSERT_EQ(events.size(), 4U);  // version, restart, the evaluation after 4 batches, the loss
  EXPECT_EQ(events[1].step(), 4);
  EXPECT_EQ(events[1].session_log().status(), tensorboard::SessionLog::START);
  EXPECT_EQ(events[2].summary().value(0).tag(), "evaluation/lfw/accuracy");
  EXPECT_EQ(events[3].summary().value(0).tag(), "train/loss");
}

TEST_F(RunLogTest, NumbersThatWereNotMeasuredAreNoEvents) {
  {
    const auto log = Open(0);
    ASSERT_THAT(log->Step({.batch = 0, .loss = 1.0, .accuracy = 0.5}), IsOk());
  }
  EXPECT_EQ(ReadEvents(EventFilesOf(dir_.path()).at(0)).size(), 4U);
}

TEST_F(RunLogTest, ABatchIsEvaluatedOnce) {
  WriteRun(5);
  const auto log = Open(4);
  ASSERT_THAT(log->Evaluation({.batch = 4, .set = "lfw", .accuracy = 0.5}), IsOk());
  ASSERT_THAT(log->Evaluation({.batch = 4, .set = "agedb", .accuracy = 0.5}), IsOk());
  ASSERT_THAT(log->Validation({.batch = 4, .loss = 1.0}), IsOk());
  ASSERT_THAT(Open(4)->Validation({.batch = 4, .loss = 1.0}), IsOk());
  EXPECT_THAT(EvaluationBatches(), ElementsAre(0, 4, 4)) << "of lfw at 0 and 4, of agedb at 4";
  EXPECT_EQ(ReadValidation(folder_)->size(), 1U);
}

TEST_F(RunLogTest, ABatchIsEvaluatedOnceWhereNothingWasResumed) {
  const auto log = Open(0);
  for (const int64_t batch : {4, 4, 8, 8}) {
    ASSERT_THAT(log->Evaluation({.batch = batch, .set = "lfw", .accuracy = 0.5}), IsOk());
    ASSERT_THAT(log->Validation({.batch = batch, .loss = 1.0}), IsOk());
  }
  EXPECT_THAT(EvaluationBatches(), ElementsAre(4, 8));
  EXPECT_EQ(ReadValidation(folder_)->size(), 2U);
}

TEST_F(RunLogTest, ValidationGoesOnAfterItsCheckpoint) {
  {
    const auto log = Open(0);
    for (const int64_t batch : {0, 4, 8}) {
      const double loss = 3.0 / static_cast<double>(batch + 7);
      ASSERT_THAT(log->Validation({.batch = batch, .loss = loss, .top_1 = 0.1}), IsOk());
    }
  }
  ASSERT_THAT(Open(4)->Validation({.batch = 8, .loss = 0.5, .top_3 = 1.0 / 3.0}), IsOk());
  FACEGATE_ASSERT_OK_AND_ASSIGN(const auto rows, ReadValidation(folder_));
  ASSERT_EQ(rows.size(), 3U);
  EXPECT_EQ(rows[1].loss, 3.0 / 11.0);
  EXPECT_TRUE(std::isnan(rows[1].top_3));
  EXPECT_EQ(rows[2].top_3, 1.0 / 3.0);
}

}  // namespace
}  // namespace facegate::report
