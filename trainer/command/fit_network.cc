#include "trainer/command/fit_network.h"

#include <fmt/format.h>
#include <unistd.h>

#include <filesystem>
#include <iostream>

namespace facegate {
namespace {

constexpr double kMostHeldOut = 0.9;

}  // namespace

void AddFitNetworkOptions(CLI::App& command, NetworkRunOptions& options, FitNetworkOptions& more) {
  NetworkTrainingOptions& training = options.training;
  command
      .add_option("-o,--out,--output,OUT", options.out, "Weight file to write, NAME.safetensors")
      ->required();
  command.add_option("--work", options.work,
                     "Folder for what was prepared and for the checkpoint [OUT.work]");
  command
      .add_option("--epochs", training.epochs,
                  "Times that all views are gone through; those that fill no batch, each time "
                  "others, are left out")
      ->check(CLI::Range(1, 100'000))
      ->capture_default_str();
  command.add_option("--batch", training.batch, "Views of one update")
      ->check(CLI::Range(2, 65'536))
      ->capture_default_str();
  command.add_option("--learning-rate", training.learning_rate, "Of AdamW; falls as a cosine")
      ->capture_default_str();
  command.add_option("--held-out", options.held_out, "Share of the people to measure on")
      ->capture_default_str();
  command.add_option("--seed", training.seed, "Everything random follows from it")
      ->capture_default_str();
  command.add_option("--threads", more.threads, "0: as many as the machine has cores")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  command.add_option("--training-data", options.training_data, "What the photos are, in words");
  command.add_option("--licence,--license", options.licence, "Of the weights");
  command.add_option("--intended-use", options.intended_use, "For the card")->capture_default_str();
  command.add_option("--unintended-use", options.unintended_use, "For the card")
      ->capture_default_str();
  command.add_flag("--restart", options.restart,
                   "Start from scratch even if there are samples and a checkpoint");
  command.add_flag("--force", more.force, "Replace OUT");
}

Status CheckFitNetworkOptions(const NetworkRunOptions& options, const FitNetworkOptions& more) {
  if (!(options.held_out > 0 && options.held_out <= kMostHeldOut)) {
    return RefuseField("--held-out", fmt::format("{} is not above 0 and at most {}",
                                                 options.held_out, kMostHeldOut));
  }
  if (!(options.training.learning_rate > 0)) {
    return RefuseField("--learning-rate",
                       fmt::format("{} is not above 0", options.training.learning_rate));
  }
  if (std::filesystem::exists(options.out) && !more.force) {
    return FailedPrecondition(fmt::format("{} exists; --force replaces it", options.out));
  }
  return OkStatus();
}

Session FitNetworkSession(const FitNetworkOptions& options, std::ostream& out) {
  return Session({.out = out,
                  .progress = std::cerr,
                  .terminal = ::isatty(STDERR_FILENO) == 1,
                  .threads = options.threads});
}

}  // namespace facegate
