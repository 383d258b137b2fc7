#include "trainer/parallel/started_processes.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <cstring>
#include <thread>

namespace facegate {
namespace {

using Clock = std::chrono::steady_clock;

constexpr char kOwnProgram[] = "/proc/self/exe";
constexpr char kOwnName[] = "facegate-train";
constexpr std::chrono::milliseconds kBetweenLooks(10);

// A signal to all processes of a terminal would end one that has hardly begun.
void BlockSignals(posix_spawnattr_t& attributes) {
  sigset_t blocked;
  pthread_sigmask(SIG_SETMASK, nullptr, &blocked);
  sigaddset(&blocked, SIGINT);
  sigaddset(&blocked, SIGTERM);
  posix_spawnattr_setsigmask(&attributes, &blocked);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
}

StatusOr<pid_t> StartOwnProgram(const std::vector<std::string>& arguments) {
  std::vector<char*> argv = {const_cast<char*>(kOwnName)};
  for (const std::string& argument : arguments) argv.push_back(const_cast<char*>(argument.c_str()));
  argv.push_back(nullptr);
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
  posix_spawnattr_t attributes;
  posix_spawnattr_init(&attributes);
  BlockSignals(attributes);
  pid_t pid = 0;
  const int error = posix_spawn(&pid, kOwnProgram, &actions, &attributes, argv.data(), environ);
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&actions);
  if (error != 0) {
    return Status(StatusCode::kAborted, fmt::format("this program cannot be started once more: {}",
                                                    std::strerror(error)));
  }
  return pid;
}

// How a process ended; nothing where it ended well.
std::optional<std::string> EndOf(int status) {
  if (WIFSIGNALED(status)) {
    const int signal = WTERMSIG(status);
    return fmt::format("was ended by signal {} ({})", signal, strsignal(signal));
  }
  if (WEXITSTATUS(status) == 0) return std::nullopt;
  return fmt::format("failed, with exit code {}; what it said is above", WEXITSTATUS(status));
}

}  // namespace

StatusOr<std::unique_ptr<StartedProcesses>> StartedProcesses::Start(
    const std::vector<std::vector<std::string>>& arguments) {
  std::unique_ptr<StartedProcesses> started(new StartedProcesses());
  for (const std::vector<std::string>& one : arguments) {
    FACEGATE_ASSIGN_OR_RETURN(const pid_t pid, StartOwnProgram(one));
    started->processes_.push_back(
        {.rank = static_cast<int>(started->processes_.size()) + 1, .pid = pid});
  }
  return started;
}

StartedProcesses::~StartedProcesses() {
  for (const Process& process : processes_) {
    if (process.ended) continue;
    kill(process.pid, SIGKILL);
    waitpid(process.pid, nullptr, 0);
  }
}

void StartedProcesses::Look() {
  for (Process& process : processes_) {
    int status = 0;
    if (process.ended || waitpid(process.pid, &status, WNOHANG) != process.pid) continue;
    process.ended = true;
    const std::optional<std::string> end = EndOf(status);
    if (!end.has_value() || failure_.has_value()) continue;
    failure_ = fmt::format("process {} of {} {}", process.rank + 1, processes_.size() + 1, *end);
  }
}

Status StartedProcesses::WaitForAll(std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (true) {
    Look();
    const auto running = std::find_if(processes_.begin(), processes_.end(),
                                      [](const Process& process) { return !process.ended; });
    if (running == processes_.end()) break;
    if (Clock::now() >= deadline) {
      return Unavailable(
          fmt::format("process {} of {} does not end", running->rank + 1, processes_.size() + 1));
    }
    std::this_thread::sleep_for(kBetweenLooks);
  }
  return failure_.has_value() ? Unavailable(*failure_) : OkStatus();
}

std::optional<std::string> StartedProcesses::WaitForFailure(std::chrono::milliseconds patience) {
  const auto deadline = Clock::now() + patience;
  while (true) {
    Look();
    if (failure_.has_value() || Clock::now() >= deadline) return failure_;
    std::this_thread::sleep_for(kBetweenLooks);
  }
}

}  // namespace facegate
