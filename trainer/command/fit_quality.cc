#include "trainer/command/fit_quality.h"

#include <fmt/format.h>

#include <memory>
#include <string>

#include "face/base/counted.h"
#include "trainer/command/fit_network.h"
#include "trainer/quality/quality_run.h"

namespace facegate {
namespace {

struct FitQualityOptions {
  QualityRunOptions run{};
  FitNetworkOptions command{};
};

void PrintTables(const QualityReport& report, std::ostream& out) {
  out << fmt::format("\n{:<14}{:>8}{:>10}{:>10}\n", "flaw", "views", "score", "expected");
  for (const FlawReport& flaw : report.flaws) {
    out << fmt::format("{:<14}{:>8}{:>10.3f}{:>10.3f}\n", ViewFlawName(flaw.flaw), flaw.views,
                       flaw.score, flaw.expected);
  }
  out << fmt::format("\n{:<14}{:>18}{:>18}\n", "discarded", "not recognised", "best possible");
  for (const DiscardPoint& point : report.discard) {
    out << fmt::format("{:<14}{:>18}{:>18}\n", PercentText(point.discarded),
                       PercentText(point.error), PercentText(point.best_error));
  }
}

Status RunFitQuality(const FitQualityOptions& options, std::ostream& out) {
  FACEGATE_RETURN_IF_ERROR(CheckFitNetworkOptions(options.run.network, options.command));
  if (options.run.data.empty() && options.run.drawn == 0) {
    return RefuseField("--data", "give sets of aligned crops, or --drawn people");
  }
  Session session = FitNetworkSession(options.command, out);
  FACEGATE_ASSIGN_OR_RETURN(const QualityRunReport report, FitQuality(options.run, session));
  if (!report.finished) {
    out << kFitNetworkStopped;
    return OkStatus();
  }
  PrintTables(report.held_out, out);
  out << fmt::format("\n{}: {}\n", options.run.network.out, HeldOutText(report.held_out));
  return OkStatus();
}

}  // namespace

TrainCommand AddFitQualityCommand(CLI::App& app) {
  CLI::App* command = app.add_subcommand(
      "fit-quality", "Trains the small network that tells whether a face is fit to be compared");
  command->footer(
      "Each set has aligned crops of 112x112 pixels, a folder for each person (or a list or a "
      "pack). They are\ndegraded in many ways; the network learns how alike the models find a "
      "degraded crop and the clean one,\nand whether eyes and mouth are visible. It is measured on "
      "people who are held out, by name. A run that\nwas stopped goes on after its last whole "
      "epoch "
      "when it is started again with the same options, photos and\nmodels; --restart begins "
      "anew. Ctrl-C stops it after the epoch that runs. It computes on the CPU.\n"
      "\n"
      "Examples:\n"
      "  facegate-train fit-quality quality.safetensors --data faces/ --model model.safetensors\n"
      "  facegate-train fit-quality quality.safetensors --data a/ b.pack --drawn 300 --model "
      "a.safetensors,b.safetensors --epochs 20 --work run1/");
  const auto options = std::make_shared<FitQualityOptions>();
  QualityRunOptions& run = options->run;
  AddFitNetworkOptions(*command, run.network, options->command);
  command->add_option("--data", run.data,
                      "Sets of aligned crops, of any format that convert reads");
  command->add_option("--model", run.models, "Models to learn from, separated by commas")
      ->delimiter(',')
      ->required();
  command->add_option("--drawn", run.drawn, "So many people who do not exist, too")
      ->check(CLI::Range(0, 1'000'000))
      ->capture_default_str();
  command->add_option("--crops", run.crops, "At most so many crops of each set")
      ->check(CLI::Range(1, 100'000'000))
      ->capture_default_str();
  command->add_option("--views", run.views, "Degraded views of each crop")
      ->check(CLI::Range(1, 1000))
      ->capture_default_str();
  return {.app = command,
          .run = [options](std::ostream& out) { return RunFitQuality(*options, out); }};
}

}  // namespace facegate
