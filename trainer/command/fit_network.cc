#include "trainer/command/fit_network.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>
#include <system_error>
#include <thread>
#include <utility>

#include "face/base/file.h"
#include "face/base/sha256.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxSampleFileBytes = 64ULL << 30;
constexpr double kMostHeldOut = 0.9;

}  // namespace

void AddFitNetworkOptions(CLI::App& command, FitNetworkOptions& options) {
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
  command.add_option("--threads", options.threads, "0: as many as the machine has cores")
      ->check(CLI::Range(0, kMaxThreads))
      ->capture_default_str();
  command.add_option("--training-data", options.training_data, "What the photos are, in words");
  command.add_option("--licence,--license", options.licence, "Of the weights");
  command.add_option("--intended-use", options.intended_use, "For the card")->capture_default_str();
  command.add_option("--unintended-use", options.unintended_use, "For the card")
      ->capture_default_str();
  command.add_flag("--restart", options.restart,
                   "Start from scratch even if there are samples and a checkpoint");
  command.add_flag("--force", options.force, "Replace OUT");
}

std::string FitNetworkArguments(const FitNetworkOptions& options) {
  const NetworkTrainingOptions& training = options.training;
  return fmt::format("--epochs {} --batch {} --learning-rate {} --held-out {} --seed {}",
                     training.epochs, training.batch, training.learning_rate, options.held_out,
                     training.seed);
}

Status CheckFitNetworkOptions(const FitNetworkOptions& options) {
  if (!(options.held_out > 0 && options.held_out <= kMostHeldOut)) {
    return RefuseField("--held-out", fmt::format("{} is not above 0 and at most {}",
                                                 options.held_out, kMostHeldOut));
  }
  if (!(options.training.learning_rate > 0)) {
    return RefuseField("--learning-rate",
                       fmt::format("{} is not above 0", options.training.learning_rate));
  }
  if (std::filesystem::exists(options.out) && !options.force) {
    return FailedPrecondition(fmt::format("{} exists; --force replaces it", options.out));
  }
  return OkStatus();
}

int FitThreads(const FitNetworkOptions& options) {
  if (options.threads > 0) return options.threads;
  return std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
}

NetworkTrainingOptions TrainingOptionsOf(const FitNetworkOptions& options) {
  NetworkTrainingOptions training = options.training;
  training.threads = FitThreads(options);
  return training;
}

ProgressBar FitBar(const std::string& what, size_t total) {
  return ProgressBar(std::cerr, ::isatty(STDERR_FILENO) == 1, what, total);
}

FitWorkFolder::FitWorkFolder(const FitNetworkOptions& options)
    : folder_(options.work.value_or(options.out + ".work")) {}

Status FitWorkFolder::Make() const {
  std::error_code failure;
  std::filesystem::create_directories(folder_, failure);
  if (failure) return NotFound(fmt::format("{}: {}", folder_.string(), failure.message()));
  return OkStatus();
}

std::optional<std::string> KeptSamples(const FitNetworkOptions& options,
                                       const FitWorkFolder& work) {
  if (options.restart) return std::nullopt;
  StatusOr<std::string> kept = ReadFile(work.samples(), kMaxSampleFileBytes);
  if (!kept.ok()) return std::nullopt;
  return *std::move(kept);
}

std::string DigestOfFiles(const std::vector<std::string>& paths) {
  Sha256 digest;
  for (const std::string& path : paths) {
    digest.Update(path);
    std::error_code failure;
    if (std::filesystem::is_regular_file(path, failure)) {
      const uintmax_t bytes = std::filesystem::file_size(path, failure);
      const auto written = std::filesystem::last_write_time(path, failure);
      digest.Update(fmt::format("\n{} {}", bytes, written.time_since_epoch().count()));
    }
    digest.Update("\n");
  }
  return digest.HexDigest();
}

std::string LastNameOf(const std::string& path) {
  const std::filesystem::path whole = std::filesystem::path(path).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

Status ResumeTraining(const FitNetworkOptions& options, const FitWorkFolder& work,
                      NetworkTraining& training, std::ostream& out) {
  if (options.restart || !std::filesystem::exists(work.checkpoint())) return OkStatus();
  const Status resumed = training.Resume(work.checkpoint());
  if (!resumed.ok()) return Annotate(resumed, "--restart begins anew");
  out << fmt::format("going on after epoch {}\n", training.epochs_done());
  return OkStatus();
}

Status RunEpochsLeft(const FitNetworkOptions& options, const FitWorkFolder& work,
                     NetworkTraining& training,
                     const std::function<Status(const std::function<void()>& on_batch)>& run,
                     const std::function<Status()>& report) {
  while (training.epochs_done() < options.training.epochs) {
    ProgressBar bar = FitBar("batches", static_cast<size_t>(training.batches_per_epoch()));
    FACEGATE_RETURN_IF_ERROR(run([&] { bar.Advance(); }));
    bar.Finish();
    FACEGATE_RETURN_IF_ERROR(training.Save(work.checkpoint()));
    FACEGATE_RETURN_IF_ERROR(report());
  }
  return OkStatus();
}

}  // namespace facegate
