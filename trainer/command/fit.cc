#include "trainer/command/fit.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cmath>
#include <filesystem>
#include <iostream>
#include <memory>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trainer/command/fit_processes.h"
#include "trainer/command/recipe_settings.h"
#include "trainer/run/fit.h"
#include "trainer/run/recipe_keys.h"
#include "trainer/run/run_directory.h"

namespace facegate {
namespace {

struct FitCommandOptions {
  FitOptions fit{};
  std::optional<std::string> recipe{};
  std::vector<std::string> settings{};
  std::string init{};
  bool help_recipe = false;
  bool json = false;
  FollowOptions follow{};
};

// The recipe of the run that is there, or that of the command line, changed by what else that says.
StatusOr<Recipe> RecipeOf(const FitCommandOptions& options) {
  Recipe recipe;
  Recipe own;
  const bool goes_on = ReadRunRecipe(options.fit.directory).ok();
  if (goes_on) FACEGATE_RETURN_IF_ERROR(ReadRecipe(options.fit.directory + "/recipe.yaml", own));
  if (options.recipe) {
    FACEGATE_RETURN_IF_ERROR(ReadRecipe(*options.recipe, recipe));
    // A run that was begun with all threads of one machine goes on with as many on another.
    if (recipe.machine.threads == 0) recipe.machine.threads = own.machine.threads;
  } else if (goes_on) {
    recipe = std::move(own);
  } else if (options.settings.empty()) {
    return RefuseField("--recipe", fmt::format("is missing, and {} holds no run to go on with",
                                               options.fit.directory));
  }
  FACEGATE_RETURN_IF_ERROR(SetFromCommandLine(options.settings, recipe));
  // A path of the command line, not of the recipe: the recipe's folder does not count.
  if (!options.init.empty()) recipe.network.init = std::filesystem::absolute(options.init).string();
  return SpelledOut(std::move(recipe));
}

void PrintText(const FitCommandOptions& options, const FitReport& report, std::ostream& out) {
  const auto row = [&](std::string_view name, const std::string& value) {
    out << fmt::format("{:<22}{}\n", name, value);
  };
  const auto percent = [](double share) { return fmt::format("{:.2f} %", 100.0 * share); };
  row("batches",
      fmt::format("{} ({} in this call)", report.batches, report.batches - report.resumed_at));
  if (report.first_accuracy) row("accuracy at first", percent(*report.first_accuracy));
  if (report.last_accuracy) row("accuracy now", percent(*report.last_accuracy));
  if (report.best) {
    const std::string where =
        report.best_batch == 0
            ? "before the first batch: nothing was better than the weights that it began with"
            : fmt::format("after batch {}: {}/best.safetensors", report.best_batch,
                          options.fit.directory);
    const double best = std::abs(*report.best);
    const bool is_loss = report.measure == kBestByLoss || report.measure == kBestByValidation;
    row("best " + report.measure,
        fmt::format("{} {}", is_loss ? fmt::format("{:.4f}", best) : percent(best), where));
  }
  if (!report.model.empty()) row("model", report.model);
  row("report", options.fit.directory + "/report.html");
  if (report.end == FitEnd::kStoppedToGoOn) {
    row("to go on", "facegate-train fit " + options.fit.directory);
  }
}

void PrintJson(const FitReport& report, std::ostream& out) {
  const auto number = [](const auto& value) {
    return value.has_value() ? nlohmann::ordered_json(*value) : nlohmann::ordered_json(nullptr);
  };
  const char* const ends[] = {"finished", "stopped early", "stopped", "stopped"};
  nlohmann::ordered_json best = nullptr;
  if (report.best.has_value()) best = std::abs(*report.best);
  const nlohmann::ordered_json json{{"end", ends[static_cast<size_t>(report.end)]},
                                    {"batches", report.batches},
                                    {"resumed_at", report.resumed_at},
                                    {"best_by", report.measure},
                                    {"best", best},
                                    {"best_batch", report.best_batch},
                                    {"first_accuracy", number(report.first_accuracy)},
                                    {"last_accuracy", number(report.last_accuracy)},
                                    {"model", report.model}};
  out << json.dump(2, ' ', false, nlohmann::ordered_json::error_handler_t::replace) << "\n";
}

Status RunFit(const FitCommandOptions& options, std::ostream& out) {
  if (options.help_recipe) {
    out << RecipeHelp();
    return OkStatus();
  }
  if (options.follow.rank > 0) return RunFollower(options.follow);
  if (options.fit.directory.empty()) return RefuseField("RUN", "is missing: the folder of the run");
  FACEGATE_ASSIGN_OR_RETURN(const Recipe recipe, RecipeOf(options));
  Session session({.out = std::cerr,
                   .progress = std::cerr,
                   .terminal = ::isatty(STDERR_FILENO) == 1,
                   .threads = ThreadsOfOne(recipe)});
  FitProcesses processes;
  FitOptions fit = options.fit;
  fit.join = [&processes](const Recipe& spelled_out) { return processes.Join(spelled_out); };
  const StatusOr<FitReport> result = Fit(recipe, fit, session);
  if (!result.ok()) return processes.Explain(result.status());
  FACEGATE_RETURN_IF_ERROR(processes.Finish());
  const FitReport& report = *result;
  if (options.json) {
    PrintJson(report, out);
  } else {
    PrintText(options, report, out);
  }
  return OkStatus();
}

}  // namespace

TrainCommand AddFitCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand("fit", "Trains a backbone, or continues where it stopped");
  command->footer(
      "RUN is a folder: the recipe, checkpoints, logs (CSV, JSON lines, TensorBoard), the model "
      "files and\nreport.html. If it already holds a run, training continues from the newest "
      "checkpoint, with the same\nresult to the bit, even after a kill. Ctrl-C stops with a "
      "checkpoint.\n"
      "A recipe is a YAML file; --help-recipe prints one with every key explained. A run keeps its "
      "recipe:\nwhat may change when it continues are more epochs (schedule.epochs), the number of "
      "threads, the device,\nand where photos and models lie, as long as they are the same ones. "
      "machine.device says where it computes:\non a card, where there is one and this program was "
      "built for it, else on the CPU.\n"
      "\n"
      "Examples:\n"
      "  facegate-train fit runs/a --recipe recipe.yaml\n"
      "  facegate-train fit runs/a\n"
      "  facegate-train fit runs/a --set schedule.epochs=40\n"
      "  facegate-train fit runs/a --set data.root=/new/place/of/the/photos\n"
      "  facegate-train fit runs/a --set machine.device=cuda:0\n"
      "  facegate-train fit runs/b --set data.train=photos/ --set holdout.identities=10 "
      "--set schedule.epochs=5 --set card.training_data='photos of colleagues, with consent'\n"
      "  facegate-train fit runs/c --recipe recipe.yaml --set 'evaluate.pairs=[val/lfw.bin, "
      "val/cfp_fp.bin]'\n"
      "  facegate-train fit runs/d --recipe recipe.yaml --init weights.pth --set "
      "optimizer.backbone_rate=0.1");
  const auto options = std::make_shared<FitCommandOptions>();
  command->add_option("RUN", options->fit.directory, "The folder of the run");
  command->add_option("--recipe", options->recipe, "What to train, with what and how (YAML)");
  command
      ->add_option("--set", options->settings,
                   "SECTION.KEY=VALUE, in place of what the recipe says")
      ->take_all()
      ->allow_extra_args(false);
  command->add_option("--init", options->init,
                      "Trained weights to begin with (network.init): a model file, a checkpoint of "
                      "fit, a .pth, or Keras' .h5");
  command
      ->add_option("--stop-after", options->fit.stop_after,
                   "Stop after N batches of this call, to continue another time; 0: never")
      ->check(CLI::NonNegativeNumber);
  // These are for the processes that it starts itself.
  command->add_option("--follow", options->follow.meeting)->group("");
  command->add_option("--rank", options->follow.rank)->group("");
  command->add_option("--leader", options->follow.leader)->group("");
  command->add_flag("--help-recipe", options->help_recipe, "Print every key of a recipe");
  command->add_flag("--json", options->json, "The result as a JSON object");
  return {.app = command, .run = [options](std::ostream& out) { return RunFit(*options, out); }};
}

}  // namespace facegate
