#pragma once

#include <csignal>
#include <filesystem>
#include <map>
#include <sstream>
#include <string>
#include <vector>

#include "tests/trainer/run/run_fixture.h"
#include "trainer/run/stop_on_signal.h"
#include "trainer/sweep/sweep_run.h"
#include "trainer/sweep/sweep_table.h"

namespace facegate {

// Trials are pretended: their score is their margin, and grows with the part that is trained.
class SweepRunTest : public RunFixture {
 protected:
  SweepRunTest() {
    plan_.tries = {"head.margin=0.1..0.5:5"};
    plan_.method = SweepMethod::kGrid;
  }
  void SetUp() override {
    RunFixture::SetUp();
    plan_.base = SmallRecipe();
    plan_.base.holdout.identities = 2;
    plan_.base.holdout.pairs = 40;
  }

  StatusOr<FitReport> Pretend(const TrialPart& part) {
    const std::string name = std::filesystem::path(part.folder).filename().string();
    trained_.push_back(name);
    calls_ += 1;
    if (stop_at_ == name || calls_ == stop_at_call_) {
      stop_at_.clear();
      std::raise(SIGINT);
      EXPECT_TRUE(part.asked_to_stop());
      FitReport stopped;
      stopped.end = FitEnd::kStoppedToGoOn;
      return stopped;
    }
    if (photos_go_at_ == name) MovePhotos("photos", "gone");
    const double epochs = part.recipe.schedule.epochs;
    const double share = part.stop_at > 0.0 ? part.stop_at / epochs : 1.0;
    if (faults_.contains(name) && share >= least_share_of_faults_) return faults_[name];
    if (kills_[name] > 0) {
      kills_[name] -= 1;
      return Unavailable("process 2 of 2 was ended by signal 9 (Killed)");
    }
    FitReport report;
    report.end = share < 1.0 ? FitEnd::kStoppedAtEpoch : FitEnd::kFinished;
    report.best = *part.recipe.head.margin + 0.1 * share;
    stops_.push_back(part.stop_at);
    return report;
  }

  StatusOr<SweepReport> Run(bool with_plan = true, bool retry_failed = false) {
    out_.str("");
    trained_.clear();
    Session session({.out = out_, .progress = out_});
    SweepOptions options{.folder = dir_.File("sweep"), .plan = {}, .retry_failed = retry_failed};
    if (with_plan) options.plan = plan_;
    return RunSweep(options, session, [this](const TrialPart& part) { return Pretend(part); });
  }
  // What a sweep came to, without the time that it took.
  static std::string Outcome(StatusOr<SweepReport> report) {
    if (!report.ok()) return std::string(MessageOf(report.status()));
    for (TrialRecord& trial : report->record.trials) trial.seconds = 0.0;
    return SweepCsv(*report);
  }
  // Two trials that learn from "other" and from "photos", judged by pairs of the former.
  void PlanTwoSetsOfPhotos() {
    std::filesystem::copy(dir_.File("photos"), dir_.File("other"),
                          std::filesystem::copy_options::recursive);
    std::string lines;
    for (int i = 0; i < 20; ++i) {
      lines += fmt::format("p0/{}.png p{}/{}.png {}\n", i % 8, i % 2 == 0 ? 1 : 0, i / 3, i % 2);
    }
    ASSERT_THAT(WriteFileAtomically(dir_.File("pairs.txt"), lines), IsOk());
    plan_.base.head.margin = 0.3;
    plan_.base.holdout.identities = 0;
    plan_.base.evaluate.pairs = {dir_.File("pairs.txt")};
    plan_.base.evaluate.photos = dir_.File("other");
    plan_.score_by = {"pairs"};
    plan_.tries = {fmt::format("data.train={},{}", dir_.File("other"), dir_.File("photos"))};
  }
  void PlanHalving() {
    plan_.tries = {"head.margin=0.1..0.9:9"};
    plan_.method = SweepMethod::kHalving;
    plan_.trials = 9;
  }
  // Those of the trials that have failed.
  static std::vector<std::string> FailedIn(const std::string& folder) {
    std::vector<std::string> names;
    const auto record = ReadSweep(folder);
    EXPECT_THAT(record, IsOk());
    if (!record.ok()) return names;
    for (const TrialRecord& trial : record->trials) {
      if (trial.state == TrialState::kFailed) names.push_back(trial.name);
    }
    return names;
  }
  void MovePhotos(const std::string& from, const std::string& to) const {
    std::filesystem::rename(dir_.File(from), dir_.File(to));
  }
  std::string Text(const std::string& name) const {
    return ReadFile(dir_.File("sweep/" + name), 1 << 24).value_or("");
  }
  static std::string BestOf(const StatusOr<SweepReport>& report) {
    const auto best = report.ok() ? BestTrial(report->record.trials) : std::nullopt;
    return best ? report->record.trials[*best].name : "none";
  }

  SweepPlan plan_;
  std::ostringstream out_;
  std::vector<std::string> trained_;
  std::vector<double> stops_;
  std::map<std::string, Status> faults_;
  double least_share_of_faults_ = 0.0;
  std::map<std::string, int> kills_;
  std::string photos_go_at_;
  std::string stop_at_;
  int calls_ = 0;  // trainings so far
  int stop_at_call_ = 0;
};

}  // namespace facegate
