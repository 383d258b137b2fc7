#pragma once

#include <sys/types.h>

#include <chrono>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// Another program, started by a test. It ends with its test: when the object goes, or when the
// thread that started it dies, it is killed. Not thread-safe.
class ChildProcess {
 public:
  // Starts argv[0] (a path) with its arguments; standard output and error are added to `log_file`.
  static StatusOr<std::unique_ptr<ChildProcess>> Start(const std::vector<std::string>& argv,
                                                       const std::string& log_file);
  ~ChildProcess();
  ChildProcess(const ChildProcess&) = delete;
  ChildProcess& operator=(const ChildProcess&) = delete;

  pid_t pid() const { return pid_; }
  void Signal(int signal);
  // The exit code (128 + the signal's number where a signal ended it) once it has ended; nothing
  // when it still runs after `patience`.
  std::optional<int> Wait(std::chrono::milliseconds patience);

 private:
  explicit ChildProcess(pid_t pid) : pid_(pid) {}

  const pid_t pid_;
  std::optional<int> exit_code_;
};

struct CommandResult {
  int exit_code = 0;
  std::string output{};  // of both streams
};

// Runs a program to its end; an error when it cannot be started or runs longer than `patience`.
StatusOr<CommandResult> RunCommand(const std::vector<std::string>& argv,
                                   std::chrono::milliseconds patience);

}  // namespace facegate
