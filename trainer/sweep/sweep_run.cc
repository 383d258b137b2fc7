#include "trainer/sweep/sweep_run.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <filesystem>
#include <system_error>
#include <utility>

#include "face/base/folder_lock.h"
#include "trainer/run/run_facts.h"
#include "trainer/run/stop_on_signal.h"
#include "trainer/sweep/sweep_page.h"
#include "trainer/sweep/sweep_progress.h"
#include "trainer/sweep/sweep_table.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// A trial during which the program ends more often than this is given up.
constexpr int64_t kMostEnds = 3;

// The name of the newest checkpoint of a run; empty where there is none.
std::string NewestCheckpoint(const std::string& folder) {
  std::string newest;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder + "/checkpoints", error)) {
    newest = std::max(newest, entry.path().filename().string());
  }
  return newest;
}

// True when a sweep may begin in the folder.
bool MayHoldSweep(const std::string& folder) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(folder, error)) {
    const std::string name = entry.path().filename().string();
    if (name != ".lock" && name != "base.yaml" && !name.ends_with(".log")) return false;
  }
  return !error;
}

// The sweep of the folder, with the plan of this call; a new one where there is none.
StatusOr<SweepRecord> OpenRecord(const SweepOptions& options) {
  StatusOr<SweepRecord> kept = ReadSweep(options.folder);
  if (!kept.ok() && kept.status().code() != StatusCode::kNotFound) return kept.status();
  if (!kept.ok()) {
    if (!options.plan.has_value()) {
      return RefuseField("--recipe", fmt::format("is missing, and {} holds no sweep to go on with",
                                                 options.folder));
    }
    if (!MayHoldSweep(options.folder)) {
      return FailedPrecondition(
          fmt::format("{} holds other files but no sweep; name a new folder", options.folder));
    }
    return SweepRecord{.plan = *options.plan, .trials = {}};
  }
  if (options.plan.has_value()) {
    FACEGATE_RETURN_IF_ERROR(CheckSamePlan(options.folder, kept->plan, *options.plan));
    kept->plan = *options.plan;
  }
  return kept;
}

// Takes up what is known of the trials that are planned.
Status TakeTrials(const PlannedSweep& planned, bool retry_failed, const std::string& folder,
                  SweepRecord& record) {
  std::vector<TrialRecord> trials = NewTrials(planned.trials);
  if (record.trials.size() > trials.size()) {
    return DataLoss(fmt::format("{}/sweep.json has {} trials, but its plan gives {}", folder,
                                record.trials.size(), trials.size()));
  }
  for (size_t i = 0; i < record.trials.size(); ++i) {
    TrialRecord& kept = record.trials[i];
    if (kept.settings != trials[i].settings || kept.name != trials[i].name) {
      return DataLoss(fmt::format("{}/sweep.json has other settings of {} than its plan gives",
                                  folder, trials[i].name));
    }
    if (kept.state == TrialState::kFailed && retry_failed) {
      kept.state = kept.scores.empty() ? TrialState::kWaiting : TrialState::kBegun;
      kept.reason.clear();
    }
    trials[i] = std::move(kept);
  }
  record.trials = std::move(trials);
  return OkStatus();
}

bool IsOver(const TrialRecord& trial) {
  return trial.state != TrialState::kWaiting && trial.state != TrialState::kBegun;
}

// Opens the photos of a trial; none: those of the plan's base.
Status OpenData(const SweepReport& report, const Settings& settings) {
  FACEGATE_ASSIGN_OR_RETURN(const Recipe recipe,
                            TrialRecipe(report.record.plan, report.scoring, settings));
  return OpenRunFacts(SpelledOut(recipe)).status();
}

// Opens the photos of the trials that are to be trained until those of one can be: what is wrong
// with the data of all of them, and of the base, is said before a trial fails of it. Where no
// settings fit together, that is said.
Status TryData(const SweepReport& report) {
  Status of_data;
  Status of_settings;
  bool is_some_over = false;
  for (const TrialRecord& trial : report.record.trials) {
    is_some_over = is_some_over || IsOver(trial);
    if (IsOver(trial)) continue;
    const auto recipe = TrialRecipe(report.record.plan, report.scoring, trial.settings);
    Status data = recipe.ok() ? OpenRunFacts(SpelledOut(*recipe)).status() : OkStatus();
    if (recipe.ok() && data.ok()) return data;
    if (!recipe.ok() && of_settings.ok()) of_settings = recipe.status();
    if (!data.ok() && of_data.ok()) of_data = data;
  }
  if (!of_data.ok()) return OpenData(report, {}).ok() ? OkStatus() : of_data;
  return is_some_over ? OkStatus() : of_settings;
}

// A sweep that goes on.
class Sweep {
 public:
  Sweep(SweepReport& report, Session& session, const TrainTrial& train)
      : report_(report),
        trials_(report.record.trials),
        session_(session),
        train_(train),
        progress_(session, WorkDone(), WorkInAll()) {}

  Status Run() {
    FACEGATE_RETURN_IF_ERROR(Write());
    for (size_t round = 0; round < rounds().size() && !report_.stopped; ++round) {
      FACEGATE_RETURN_IF_ERROR(RunRound(round));
    }
    return Write();
  }

 private:
  const std::vector<SweepRound>& rounds() const { return report_.planned.rounds; }

  double ShareBefore(size_t round) const { return round == 0 ? 0.0 : rounds()[round - 1].share; }

  double WorkInAll() const {
    double work = 0.0;
    for (size_t round = 0; round < rounds().size(); ++round) {
      work += static_cast<double>(rounds()[round].trials) *
              (rounds()[round].share - ShareBefore(round));
    }
    return work;
  }

  // What is over, or will not be done because its trial has failed.
  double WorkDone() const {
    double work = 0.0;
    for (const TrialRecord& trial : trials_) {
      size_t over = trial.scores.size();
      if (trial.state == TrialState::kFailed && over < rounds().size()) over += 1;
      if (over > 0) work += rounds()[std::min(over, rounds().size()) - 1].share;
    }
    return work;
  }

  // Those who take part in a round: the best of the round before. One that fails in it keeps its
  // place, whether it did in this call or in an earlier one.
  std::vector<size_t> Contestants(size_t round) const {
    std::vector<size_t> numbers;
    for (size_t i = 0; i < trials_.size(); ++i) {
      if (trials_[i].scores.size() >= round) numbers.push_back(i);
    }
    if (round == 0) return numbers;
    std::stable_sort(numbers.begin(), numbers.end(), [&](size_t a, size_t b) {
      return trials_[a].scores[round - 1] > trials_[b].scores[round - 1];
    });
    numbers.resize(std::min(numbers.size(), rounds()[round].trials));
    std::sort(numbers.begin(), numbers.end());
    return numbers;
  }

  Status RunRound(size_t round) {
    const std::vector<size_t> numbers = Contestants(round);
    if (round > 0) {
      const bool is_over = std::all_of(numbers.begin(), numbers.end(), [&](size_t number) {
        return trials_[number].scores.size() > round ||
               trials_[number].state == TrialState::kFailed;
      });
      if (!is_over) SayRound(round, numbers.size());
      for (size_t i = 0; i < trials_.size(); ++i) {
        const bool goes_on = std::find(numbers.begin(), numbers.end(), i) != numbers.end();
        if (!goes_on && trials_[i].state == TrialState::kBegun) trials_[i].state = TrialState::kOut;
      }
    }
    for (const size_t number : numbers) {
      TrialRecord& trial = trials_[number];
      if (trial.state == TrialState::kFailed || trial.scores.size() > round) continue;
      if (session_.asked_to_stop()) {
        report_.stopped = true;
        return OkStatus();
      }
      FACEGATE_RETURN_IF_ERROR(RunTrial(round, trial));
      if (report_.stopped) return OkStatus();
    }
    return OkStatus();
  }

  void SayRound(size_t round, size_t count) {
    session_.Print(fmt::format(
        "round {} of {}: the best {} of {} go on to {:.3g} % of their epochs", round + 1,
        rounds().size(), count, rounds()[round - 1].trials, 100.0 * rounds()[round].share));
  }

  Status RunTrial(size_t round, TrialRecord& trial) {
    const double share = rounds()[round].share;
    progress_.Begin(fmt::format("{} of {}", trial.name, trials_.size()), ShareBefore(round));
    StatusOr<FitReport> fit = EndsProcess();
    FACEGATE_RETURN_IF_ERROR(TrainOn(share, trial, fit));
    if (report_.stopped) return OkStatus();
    trial.ends = 0;
    if (!fit.ok()) {
      FACEGATE_RETURN_IF_ERROR(CheckOwnFault(trial));
      Fail(std::string(MessageOf(fit.status())), trial);
    } else if (fit->end == FitEnd::kStoppedToGoOn) {
      report_.stopped = true;
      return OkStatus();
    } else if (!fit->best.has_value()) {
      Fail("no evaluation gave a score", trial);
    } else {
      Keep(*fit, share, trial);
    }
    progress_.End(share);
    return Write();
  }

  // Trains it, and again from its newest checkpoint where another of its processes was killed.
  // Without others this process can do no more, nor where they cannot be started: the trial may go
  // on in the next one.
  Status TrainOn(double share, TrialRecord& trial, StatusOr<FitReport>& fit) {
    while (true) {
      FACEGATE_ASSIGN_OR_RETURN(const bool may_begin, BeginTrial(trial));
      if (!may_begin) return OkStatus();
      const Clock::time_point begin = Clock::now();
      fit = Train(trial, share);
      trial.seconds += std::chrono::duration<double>(Clock::now() - begin).count();
      const StatusCode code = fit.status().code();
      if (code != StatusCode::kUnavailable && code != StatusCode::kAborted) return OkStatus();
      // It has not begun.
      if (code == StatusCode::kAborted) trial.ends -= 1;
      FACEGATE_RETURN_IF_ERROR(Write());
      if (code == StatusCode::kAborted || !HasOthers(trial)) return fit.status();
      session_.Print(fmt::format("{}: {}", trial.name, MessageOf(fit.status())));
      if (session_.asked_to_stop()) {
        report_.stopped = true;
        return OkStatus();
      }
    }
  }

  // True where several processes train it.
  bool HasOthers(const TrialRecord& trial) const {
    const auto recipe = TrialRecipe(report_.record.plan, report_.scoring, trial.settings);
    return recipe.ok() && recipe->machine.processes > 1;
  }

  // The error of its data, where they are why a trial came to nothing, and no other trial's can be
  // opened: it may go on once they are there.
  Status CheckOwnFault(const TrialRecord& trial) {
    if (!TrialRecipe(report_.record.plan, report_.scoring, trial.settings).ok()) return OkStatus();
    const Status data = OpenData(report_, trial.settings);
    if (data.ok() || OpenData(report_, {}).ok()) return OkStatus();
    const auto opens = [&](const TrialRecord& other) {
      return &other != &trial && OpenData(report_, other.settings).ok();
    };
    if (opened_ < trials_.size() && opens(trials_[opened_])) return OkStatus();
    const auto other = std::ranges::find_if(trials_, opens);
    opened_ = static_cast<size_t>(other - trials_.begin());
    if (other != trials_.end()) return OkStatus();
    FACEGATE_RETURN_IF_ERROR(Write());
    return Annotate(data, trial.name + " goes no further");
  }

  // Writes down that the trial begins. False where the program has ended too often while it was
  // trained, as it does where memory is short, without a checkpoint that is newer.
  StatusOr<bool> BeginTrial(TrialRecord& trial) {
    const std::string checkpoint = NewestCheckpoint(FolderOf(trial));
    trial.ends = trial.checkpoint == checkpoint ? trial.ends + 1 : 1;
    trial.checkpoint = checkpoint;
    if (trial.ends > kMostEnds) return false;
    if (trial.state == TrialState::kWaiting) trial.state = TrialState::kBegun;
    FACEGATE_RETURN_IF_ERROR(WriteSweep(report_.folder, report_.record));
    return true;
  }

  static Status EndsProcess() {
    return FailedPrecondition(
        fmt::format("the program has ended {} times while it was trained; is there too little "
                    "memory for it?",
                    kMostEnds));
  }

  std::string FolderOf(const TrialRecord& trial) const {
    return fmt::format("{}/{}", report_.folder, trial.name);
  }

  StatusOr<FitReport> Train(const TrialRecord& trial, double share) {
    TrialPart part;
    FACEGATE_ASSIGN_OR_RETURN(part.recipe,
                              TrialRecipe(report_.record.plan, report_.scoring, trial.settings));
    part.folder = FolderOf(trial);
    if (share < 1.0) part.stop_at = share * part.recipe.schedule.epochs;
    const auto best = BestTrial(trials_);
    const std::string best_text =
        best ? fmt::format("best {} ({})", ScoreText(report_.scoring, *trials_[*best].score()),
                           trials_[*best].name)
             : "";
    part.on_batch = [this, best_text](int64_t batches, int64_t total) {
      progress_.Show(batches, total, best_text);
    };
    part.asked_to_stop = [this] { return session_.asked_to_stop(); };
    return train_(part);
  }

  void Fail(const std::string& reason, TrialRecord& trial) {
    trial.state = TrialState::kFailed;
    trial.reason = reason;
    session_.Print(
        fmt::format("{} failed: {}  {}", trial.name, reason, SettingsText(trial.settings)));
  }

  void Keep(const FitReport& fit, double share, TrialRecord& trial) {
    Recipe recipe = report_.record.plan.base;
    // Its settings were applied before.
    if (const Status status = Apply(trial.settings, recipe); !status.ok()) {
      return Fail(std::string(MessageOf(status)), trial);
    }
    trial.scores.push_back(*fit.best);
    trial.best_batch = fit.best_batch;
    trial.epochs = share * recipe.schedule.epochs;
    trial.state = share < 1.0 ? TrialState::kBegun : TrialState::kDone;
    trial.reason = fit.end == FitEnd::kStoppedEarly
                       ? fmt::format("ended early after batch {}", fit.batches)
                       : "";
    session_.Print(fmt::format("{}  {}  {}", trial.name, ScoreText(report_.scoring, *fit.best),
                               SettingsText(trial.settings)));
  }

  Status Write() {
    FACEGATE_RETURN_IF_ERROR(WriteSweep(report_.folder, report_.record));
    FACEGATE_RETURN_IF_ERROR(WriteSweepTables(report_));
    return WriteSweepPage(report_);
  }

  SweepReport& report_;
  std::vector<TrialRecord>& trials_;
  Session& session_;
  const TrainTrial& train_;
  SweepProgress progress_;
  size_t opened_ = SIZE_MAX;  // a trial whose data could be opened
};

// The reason of the first trial, where none came to a score and none may yet.
Status CheckSomeScore(const SweepReport& report) {
  const auto& trials = report.record.trials;
  const bool all_failed = std::all_of(trials.begin(), trials.end(), [](const TrialRecord& trial) {
    return trial.state == TrialState::kFailed;
  });
  if (!all_failed) return OkStatus();
  return FailedPrecondition(fmt::format("all {} trials failed; {}: {}", trials.size(),
                                        trials.front().name, trials.front().reason));
}

}  // namespace

StatusOr<SweepReport> RunSweep(const SweepOptions& options, Session& session,
                               const TrainTrial& train) {
  const StopOnSignal signals;
  if (options.plan.has_value()) FACEGATE_RETURN_IF_ERROR(PlanSweep(*options.plan).status());
  SweepReport report{.folder = options.folder, .record = {}, .planned = {}, .scoring = {}};
  std::error_code error;
  fs::create_directories(options.folder, error);
  if (error) {
    return FailedPrecondition(fmt::format("cannot create {}: {}", options.folder, error.message()));
  }
  FACEGATE_ASSIGN_OR_RETURN(const FolderLock lock, FolderLock::Take(options.folder));
  FACEGATE_ASSIGN_OR_RETURN(report.record, OpenRecord(options));
  FACEGATE_ASSIGN_OR_RETURN(report.planned, PlanSweep(report.record.plan));
  FACEGATE_ASSIGN_OR_RETURN(report.scoring, ScoringOf(report.record.plan, report.planned.space));
  FACEGATE_RETURN_IF_ERROR(
      TakeTrials(report.planned, options.retry_failed, options.folder, report.record));
  FACEGATE_RETURN_IF_ERROR(TryData(report));
  Sweep sweep(report, session, train);
  FACEGATE_RETURN_IF_ERROR(sweep.Run());
  FACEGATE_RETURN_IF_ERROR(CheckSomeScore(report));
  return report;
}

}  // namespace facegate
