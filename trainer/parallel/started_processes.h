#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// Processes of this program that this one has started, to be ranks 1, 2 and so on of its group.
// What they print to standard error is seen; standard output is not theirs. SIGINT and SIGTERM are
// blocked in them until they take care of these. Not thread-safe.
class StartedProcesses {
 public:
  // Starts this program once for each list of arguments. kAborted where it cannot be started.
  static StatusOr<std::unique_ptr<StartedProcesses>> Start(
      const std::vector<std::vector<std::string>>& arguments);
  // Kills those that have not ended.
  ~StartedProcesses();
  StartedProcesses(const StartedProcesses&) = delete;
  StartedProcesses& operator=(const StartedProcesses&) = delete;

  // Waits until all have ended; kUnavailable names the first that did not end well, or that still
  // runs after `patience`.
  Status WaitForAll(std::chrono::milliseconds patience);
  // Waits until one has ended badly, and says which and how; nothing where none has by then.
  std::optional<std::string> WaitForFailure(std::chrono::milliseconds patience);

 private:
  struct Process {
    int rank = 0;
    pid_t pid = 0;
    bool ended = false;
  };

  StartedProcesses() = default;
  // Takes note of those that have ended.
  void Look();

  std::vector<Process> processes_;
  std::optional<std::string> failure_;  // of the first that ended badly
};

}  // namespace facegate
