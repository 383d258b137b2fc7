#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/learn/network_training.h"
#include "trainer/run/progress.h"

// The commands that train the small networks of the programs have this in common.
namespace facegate {

struct FitNetworkOptions {
  std::string out{};                  // the weight file to write
  std::optional<std::string> work{};  // folder of samples and checkpoint; nothing: OUT.work
  NetworkTrainingOptions training{};  // its threads are those of `threads`
  double held_out = 0.2;              // share of the people
  int threads = 0;                    // 0: as many as the machine has cores
  bool restart = false;               // forget samples and checkpoint
  bool force = false;                 // replace OUT
  // The text is for the card.
  std::string training_data{};
  std::string licence{};
  std::string intended_use{};
  std::string unintended_use{};
};

void AddFitNetworkOptions(CLI::App& command, FitNetworkOptions& options);
// The part of the command line that AddFitNetworkOptions() reads and that weights follow from.
std::string FitNetworkArguments(const FitNetworkOptions& options);
// kInvalidField for a number out of its range; kFailedPrecondition where OUT would be lost.
Status CheckFitNetworkOptions(const FitNetworkOptions& options);

int FitThreads(const FitNetworkOptions& options);
// Returns options.training, with FitThreads().
NetworkTrainingOptions TrainingOptionsOf(const FitNetworkOptions& options);
ProgressBar FitBar(const std::string& what, size_t total);

// Keeps what lets a run go on.
class FitWorkFolder {
 public:
  explicit FitWorkFolder(const FitNetworkOptions& options);

  Status Make() const;
  std::string samples() const { return (folder_ / "samples.safetensors").string(); }
  std::string checkpoint() const { return (folder_ / "checkpoint.safetensors").string(); }

 private:
  const std::filesystem::path folder_;
};

// The bytes of the samples that an earlier run left; nothing where there are none, or where
// --restart forgets them.
std::optional<std::string> KeptSamples(const FitNetworkOptions& options, const FitWorkFolder& work);

// A digest of the names, sizes and times of files: it changes where one is replaced. What is no
// file counts by its name.
std::string DigestOfFiles(const std::vector<std::string>& paths);

// "pins" of "/data/pins/": what a card calls a folder or a file.
std::string LastNameOf(const std::string& path);

// Sets `training` to the checkpoint of the work folder, where there is one and --restart does not
// forget it. The error says what is another now, and --restart.
Status ResumeTraining(const FitNetworkOptions& options, const FitWorkFolder& work,
                      NetworkTraining& training, std::ostream& out);

// Runs what is left of the epochs: `run` does one, `report` is called after its checkpoint is
// written.
Status RunEpochsLeft(const FitNetworkOptions& options, const FitWorkFolder& work,
                     NetworkTraining& training,
                     const std::function<Status(const std::function<void()>& on_batch)>& run,
                     const std::function<Status()>& report);

}  // namespace facegate
