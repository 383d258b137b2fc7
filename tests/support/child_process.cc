#include "tests/support/child_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>

#include "face/base/file.h"
#include "tests/support/temp_dir.h"

namespace facegate {
namespace {

// Makes what execve takes; valid while `texts` lives.
std::vector<char*> PointersTo(std::vector<std::string>& texts) {
  std::vector<char*> pointers;
  for (std::string& text : texts) pointers.push_back(text.data());
  pointers.push_back(nullptr);
  return pointers;
}

// Only async-signal-safe calls are allowed between fork and exec: other threads may hold locks.
[[noreturn]] void Become(char* const* argv, char* const* environment, int log, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(127);
  ::dup2(log, STDOUT_FILENO);
  ::dup2(log, STDERR_FILENO);
  ::execve(argv[0], argv, environment);
  ::_exit(127);
}

int ExitCodeOf(int status) {
  return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

}  // namespace

StatusOr<std::unique_ptr<ChildProcess>> ChildProcess::Start(const std::vector<std::string>& argv,
                                                            const std::string& log_file) {
  if (argv.empty() || ::access(argv[0].c_str(), X_OK) != 0) {
    return NotFound(
        fmt::format("{} is no program that can run", argv.empty() ? "nothing" : argv[0]));
  }
  const int log = ::open(log_file.c_str(), O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
  if (log < 0) return Internal(fmt::format("opening {}: {}", log_file, std::strerror(errno)));
  std::vector<std::string> arguments = argv;
  const std::vector<char*> argument_pointers = PointersTo(arguments);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) Become(argument_pointers.data(), environ, log, parent);
  const int failure = errno;
  ::close(log);
  if (pid < 0) return Internal(fmt::format("fork: {}", std::strerror(failure)));
  return std::unique_ptr<ChildProcess>(new ChildProcess(pid));
}

ChildProcess::~ChildProcess() {
  if (exit_code_.has_value()) return;
  Signal(SIGKILL);
  int status = 0;
  ::waitpid(pid_, &status, 0);
}

void ChildProcess::Signal(int signal) {
  if (!exit_code_.has_value()) ::kill(pid_, signal);
}

std::optional<int> ChildProcess::Wait(std::chrono::milliseconds patience) {
  const auto end = std::chrono::steady_clock::now() + patience;
  while (!exit_code_.has_value()) {
    int status = 0;
    if (::waitpid(pid_, &status, WNOHANG) == pid_) {
      exit_code_ = ExitCodeOf(status);
    } else if (std::chrono::steady_clock::now() >= end) {
      return std::nullopt;
    } else {
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  return exit_code_;
}

StatusOr<CommandResult> RunCommand(const std::vector<std::string>& argv,
                                   std::chrono::milliseconds patience) {
  constexpr uint64_t kMaxOutputBytes = 16 << 20;
  const TempDir dir;
  const std::string log = dir.File("output");
  FACEGATE_ASSIGN_OR_RETURN(const auto process, ChildProcess::Start(argv, log));
  const std::optional<int> code = process->Wait(patience);
  if (!code.has_value()) {
    return Unavailable(fmt::format("{} still runs after {} ms", argv[0], patience.count()));
  }
  FACEGATE_ASSIGN_OR_RETURN(std::string output, ReadFile(log, kMaxOutputBytes));
  return CommandResult{*code, std::move(output)};
}

}  // namespace facegate
