#include "trainer/run/network_run.h"

#include <fmt/format.h>

#include <cstdint>
#include <system_error>

#include "face/base/file.h"
#include "trainer/run/stop_on_signal.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxSampleFileBytes = 64ULL << 30;

}  // namespace

std::string NetworkRunArguments(const NetworkRunOptions& options) {
  const NetworkTrainingOptions& training = options.training;
  return fmt::format("--epochs {} --batch {} --learning-rate {} --held-out {} --seed {}",
                     training.epochs, training.batch, training.learning_rate, options.held_out,
                     training.seed);
}

NetworkTrainingOptions TrainingOptionsOf(const NetworkRunOptions& options, const Session& session) {
  NetworkTrainingOptions training = options.training;
  training.threads = session.threads();
  return training;
}

StatusOr<WorkFolder> WorkFolder::Open(const NetworkRunOptions& options) {
  const std::filesystem::path folder = options.work.value_or(options.out + ".work");
  std::error_code failure;
  std::filesystem::create_directories(folder, failure);
  if (failure) return NotFound(fmt::format("{}: {}", folder.string(), failure.message()));
  FACEGATE_ASSIGN_OR_RETURN(FolderLock lock, FolderLock::Take(folder.string()));
  return WorkFolder(folder, options.restart, std::move(lock));
}

std::optional<std::string> WorkFolder::KeptSamples() const {
  if (restart_) return std::nullopt;
  StatusOr<std::string> kept = ReadFile(samples(), kMaxSampleFileBytes);
  if (!kept.ok()) return std::nullopt;
  return *std::move(kept);
}

Status WorkFolder::Resume(NetworkTraining& training, Session& session) const {
  if (restart_ || !std::filesystem::exists(checkpoint())) return OkStatus();
  const Status resumed = training.Resume(checkpoint());
  if (!resumed.ok()) return Annotate(resumed, "--restart begins anew");
  session.Print(fmt::format("going on after epoch {}", training.epochs_done()));
  return OkStatus();
}

StatusOr<bool> RunEpochsLeft(
    int64_t epochs, const WorkFolder& work, NetworkTraining& training, Session& session,
    const std::function<Status(const std::function<void()>& on_batch)>& run,
    const std::function<Status()>& report) {
  const StopOnSignal signals;
  while (training.epochs_done() < epochs) {
    if (session.asked_to_stop()) return false;
    ProgressBar bar = session.Bar("batches", static_cast<size_t>(training.batches_per_epoch()));
    FACEGATE_RETURN_IF_ERROR(run([&] { bar.Advance(); }));
    bar.Finish();
    FACEGATE_RETURN_IF_ERROR(training.Save(work.checkpoint()));
    FACEGATE_RETURN_IF_ERROR(report());
  }
  return true;
}

std::string LastNameOf(const std::string& path) {
  const std::filesystem::path whole = std::filesystem::path(path).lexically_normal();
  return (whole.has_filename() ? whole : whole.parent_path()).filename().string();
}

}  // namespace facegate
