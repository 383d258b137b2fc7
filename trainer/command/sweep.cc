#include "trainer/command/sweep.h"

#include <fmt/format.h>
#include <unistd.h>

#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "face/base/counted.h"
#include "face/base/shown_text.h"
#include "trainer/command/fit_processes.h"
#include "trainer/command/recipe_settings.h"
#include "trainer/run/session.h"
#include "trainer/sweep/fold_scores.h"
#include "trainer/sweep/sweep_run.h"
#include "trainer/sweep/sweep_table.h"

namespace facegate {
namespace {

constexpr size_t kRowsShown = 20;

constexpr char kSweepFooter[] =
    "Trains with many settings of a recipe, each in a run of its own below SWEEP (trial-0001 …), "
    "and tells which\nis the best. The same command goes on after Ctrl-C, a kill or a power loss, "
    "and so does\nfacegate-train sweep SWEEP. A trial that fails is marked with its reason, and "
    "the others go on.\n"
    "\n"
    "--try KEY=VALUES names any key of a recipe (facegate-train fit --help-recipe):\n"
    "  head.margin=0.3,0.4,0.5           some values, of any kind; lists in brackets: "
    "[8,14],[10,16]\n"
    "  schedule.rate=0.01..0.3:log       numbers from one to the other, evenly spread over the "
    "logarithm\n"
    "  head.scale=16..64                 evenly spread; whole numbers where the key has such\n"
    "  schedule.rate=0.01..0.3:log:5     five of them, which a grid needs\n"
    "\n"
    "--method:\n"
    "  random   each trial has values drawn at random, by --seed\n"
    "  grid     all combinations\n"
    "  halving  all trials, drawn at random, are trained for a part of their epochs, the best of "
    "them (1 / ETA)\n           for ETA times as long, and so on; the last ones to the end. A "
    "trial's rate follows its whole schedule\n           from the first batch on, so that those "
    "that learn late are at a disadvantage.\n"
    "\n"
    "A trial's score is checkpoint.best_by (accuracy, tar, eer), the best of its evaluations, by "
    "people who are kept\nfrom training: those of holdout.identities, or sets of evaluate.pairs "
    "that --score-by names because they are\nfor validation. Other sets of evaluate.pairs are not "
    "opened: a test set must not choose the winner. The\nwinner's score is optimistic even so, as "
    "it was chosen by it; measure its model on a test set, once, with\nfacegate-train eval.\n"
    "\n"
    "With holdout.folds in the recipe, --method grid --try holdout.fold=0,1,2,3,4 trains once for "
    "each fold and says\nmean and deviation over the folds, for each choice of what else is tried; "
    "the best is that of the best mean then.\nFolds of people (holdout.fold_by people) are scored "
    "by pairs of the people of the fold; folds of photos by\n--score-by, or where nothing else is "
    "tried by checkpoint.best_by validation, the loss of the photos kept from\ntraining: of other "
    "settings it would be another measure.\n"
    "\n"
    "SWEEP/sweep.html shows settings and scores in one picture, sweep.csv has them as a table, "
    "best.yaml is the recipe\nwith the best settings, for facegate-train fit. Runs take the room "
    "of their checkpoints: --set checkpoint.keep=1.\n"
    "\n"
    "Examples:\n"
    "  facegate-train sweep sweeps/a --recipe base.yaml --try schedule.rate=0.01..0.3:log --try "
    "head.margin=0.3,0.4,0.5\n"
    "  facegate-train sweep sweeps/a\n"
    "  facegate-train sweep sweeps/b --recipe base.yaml --method grid --try "
    "head.kind=arcface,cosface "
    "--try head.scale=32,64\n"
    "  facegate-train sweep sweeps/c --recipe base.yaml --method halving --trials 27 --epochs 9 "
    "--try optimizer.weight_decay=1e-5..1e-3:log\n"
    "  facegate-train sweep sweeps/d --recipe base.yaml --score-by agedb_30 --try "
    "augment.flip=0,0.5\n"
    "  facegate-train sweep sweeps/e --recipe base.yaml --method grid --set holdout.folds=5 --set "
    "holdout.fold_by=people --try holdout.fold=0,1,2,3,4\n"
    "  facegate-train fit runs/best --recipe sweeps/a/best.yaml";

struct SweepCommand {
  SweepOptions options{};
  SweepPlan plan{};
  std::optional<std::string> recipe{};
  std::vector<std::string> settings{};
  std::string method = "random";
  std::optional<double> epochs{};
  bool changes_plan = false;  // something of the plan was given
};

// The plan of the command line; none where that only names a folder.
StatusOr<std::optional<SweepPlan>> PlanOf(const SweepCommand& command) {
  if (!command.recipe.has_value()) {
    if (command.plan.tries.empty() && command.settings.empty() && !command.changes_plan) {
      return std::optional<SweepPlan>();
    }
    return RefuseField("--recipe",
                       "is missing: the recipe whose settings are tried. A sweep that is there "
                       "goes on with its own plan where only its folder is given");
  }
  SweepPlan plan = command.plan;
  Recipe recipe;
  FACEGATE_RETURN_IF_ERROR(ReadRecipe(*command.recipe, recipe));
  FACEGATE_RETURN_IF_ERROR(SetFromCommandLine(command.settings, recipe));
  if (command.epochs.has_value()) {
    const Status status =
        SetRecipeKey("schedule.epochs", fmt::format("{}", *command.epochs), "--epochs", recipe);
    if (!status.ok()) return RefuseField("--epochs", MessageOf(status));
  }
  plan.base = KeptBase(recipe);
  plan.method = SweepMethodFromName(command.method).value_or(SweepMethod::kRandom);
  return std::optional(std::move(plan));
}

// Trains a part of a trial, in as many processes as its recipe says.
StatusOr<FitReport> TrainInProcesses(TrialPart part) {
  FitProcesses processes;
  part.join = [&processes](const Recipe& spelled_out) { return processes.Join(spelled_out); };
  part.threads = ThreadsOfOne(SpelledOut(part.recipe));
  StatusOr<FitReport> report = FitTrial(part);
  if (!report.ok()) return processes.Explain(report.status());
  FACEGATE_RETURN_IF_ERROR(processes.Finish());
  return report;
}

void PrintSweep(const SweepReport& report, std::ostream& out) {
  const auto row = [&](std::string_view name, const std::string& value) {
    out << fmt::format("{:<14}{}\n", name, ShownText(value));
  };
  const auto& trials = report.record.trials;
  out << AlignedText(SweepRows(report, kRowsShown));
  if (trials.size() > kRowsShown) {
    out << fmt::format("… and {} more in sweep.csv\n", trials.size() - kRowsShown);
  }
  out << "\n";
  for (const TrialRecord& trial : trials) {
    if (trial.state == TrialState::kFailed) row("failed", trial.name + ": " + trial.reason);
  }
  if (const auto rows = FoldRows(report); rows.size() > 1) out << AlignedText(rows) << "\n";
  if (const auto best = BestOf(report)) {
    const std::string settings = SettingsText(best->settings);
    row("best",
        fmt::format("{}: {}{}{}", best->name, best->score, settings.empty() ? "" : "  ", settings));
    row("recipe", report.folder + "/best.yaml");
    row("note", OptimismText(report));
  }
  row("report", report.folder + "/sweep.html");
  if (report.stopped) row("to go on", "facegate-train sweep " + report.folder);
}

Status RunSweepCommand(SweepCommand& command, std::ostream& out) {
  FACEGATE_ASSIGN_OR_RETURN(command.options.plan, PlanOf(command));
  Session session(
      {.out = std::cerr, .progress = std::cerr, .terminal = ::isatty(STDERR_FILENO) == 1});
  FACEGATE_ASSIGN_OR_RETURN(const SweepReport report,
                            RunSweep(command.options, session, TrainInProcesses));
  PrintSweep(report, out);
  return OkStatus();
}

void AddPlanOptions(CLI::App& app, SweepCommand& command) {
  app.add_option("--recipe", command.recipe, "The recipe whose settings are tried (YAML)");
  app.add_option("--set", command.settings, "SECTION.KEY=VALUE, in place of what the recipe says")
      ->take_all()
      ->allow_extra_args(false);
  app.add_option("--try", command.plan.tries, "KEY=VALUES, see below; once for each key")
      ->take_all()
      ->allow_extra_args(false);
  const auto changes = [&command](const auto&) { command.changes_plan = true; };
  app.add_option("--method", command.method, "How trials are chosen, see below")
      ->check(CLI::IsMember({"random", "grid", "halving"}))
      ->capture_default_str()
      ->each(changes);
  app.add_option("--trials", command.plan.trials,
                 "How many; default: 20, or the whole grid. A random sweep goes on with more")
      ->each(changes);
  app.add_option("--seed", command.plan.seed, "The same seed gives the same trials")
      ->capture_default_str()
      ->each(changes);
  app.add_option(
         "--epochs", command.epochs,
         "The length of a whole trial, which best.yaml has too; default: that of the recipe")
      ->each(changes);
  app.add_option("--eta", command.plan.eta, "For halving: the best 1 / ETA go on")
      ->capture_default_str()
      ->each(changes);
  app.add_option("--first-epochs", command.plan.first_epochs,
                 "For halving: the least that a trial is trained in the first round; default: as "
                 "many rounds as leave one trial")
      ->each(changes);
  app.add_option("--score-by", command.plan.score_by,
                 "A set of evaluate.pairs that is for validation, or held-out; may be repeated")
      ->take_all()
      ->allow_extra_args(false)
      ->each(changes);
}

}  // namespace

TrainCommand AddSweepCommand(CLI::App& app) {
  CLI::App* command =
      app.add_subcommand("sweep", "Trains with many settings of a recipe and finds the best");
  command->footer(kSweepFooter);
  const auto parsed = std::make_shared<SweepCommand>();
  command->add_option("SWEEP", parsed->options.folder, "The folder of the sweep")->required();
  AddPlanOptions(*command, *parsed);
  command->add_flag("--retry-failed", parsed->options.retry_failed,
                    "Try the trials that failed again");
  return {.app = command,
          .run = [parsed](std::ostream& out) { return RunSweepCommand(*parsed, out); }};
}

}  // namespace facegate
