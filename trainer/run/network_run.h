#pragma once

#include <filesystem>
#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "face/base/folder_lock.h"
#include "face/base/status.h"
#include "trainer/learn/network_training.h"
#include "trainer/run/session.h"

// The runs of the small networks have this in common.
namespace facegate {

struct NetworkRunOptions {
  std::string out{};                  // the weight file to write
  std::optional<std::string> work{};  // folder of samples and checkpoint; nothing: OUT.work
  NetworkTrainingOptions training{};  // its threads are those of the session
  double held_out = 0.2;              // share of the people
  bool restart = false;               // forget samples and checkpoint
  // These are for the card.
  std::string training_data{};
  std::string licence{};
  std::string intended_use{};
  std::string unintended_use{};
};

// The part of a command line that weights follow from.
std::string NetworkRunArguments(const NetworkRunOptions& options);

// Returns options.training, with the threads of the session.
NetworkTrainingOptions TrainingOptionsOf(const NetworkRunOptions& options, const Session& session);

// Keeps what lets a run go on: its samples, and a checkpoint after each epoch. While it is open no
// other process opens it.
class WorkFolder {
 public:
  // Makes the folder where it is absent. kNotFound where it cannot be made, kFailedPrecondition
  // where another process has it.
  static StatusOr<WorkFolder> Open(const NetworkRunOptions& options);

  std::string samples() const { return (folder_ / "samples.safetensors").string(); }
  std::string checkpoint() const { return (folder_ / "checkpoint.safetensors").string(); }

  // The bytes of the samples that an earlier run left; nothing where there are none, or where it
  // starts from scratch.
  std::optional<std::string> KeptSamples() const;
  // Sets `training` to the checkpoint, where there is one and the run does not start from scratch.
  // The error says what is another now, and --restart.
  Status Resume(NetworkTraining& training, Session& session) const;

 private:
  WorkFolder(std::filesystem::path folder, bool restart, FolderLock lock)
      : folder_(std::move(folder)), restart_(restart), lock_(std::move(lock)) {}

  std::filesystem::path folder_;
  bool restart_;
  FolderLock lock_;
};

// Runs what is left of the epochs: `run` does one, `report` is called after its checkpoint is
// written. Ends after an epoch where the session is asked to stop, by a signal too; false then.
StatusOr<bool> RunEpochsLeft(
    int64_t epochs, const WorkFolder& work, NetworkTraining& training, Session& session,
    const std::function<Status(const std::function<void()>& on_batch)>& run,
    const std::function<Status()>& report);

// "pins" of "/data/pins/": what a card calls a folder or a file.
std::string LastNameOf(const std::string& path);

}  // namespace facegate
