#include "server/stop_signals.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <csignal>

#include "face/base/check.h"
#include "face/base/clock.h"
#include "face/base/log.h"

namespace facegate {
namespace {

constexpr int kExitBySignal = 128;
constexpr unsigned char kEnd = 0;  // no signal has this number

// A handler has no other way to its object. (Blocking the signals and waiting for them would not
// do: libraries start threads before main(), OpenBLAS for one, which do not block them.)
std::atomic<int> g_pipe = -1;
std::atomic<bool> g_signalled = false;
static_assert(std::atomic<int>::is_always_lock_free && std::atomic<bool>::is_always_lock_free);

// Calls async-signal-safe functions alone.
void OnSignal(int number) {
  if (g_signalled.exchange(true)) {
    if (number == SIGHUP) return;
    _exit(kExitBySignal + number);
  }
  const int saved_errno = errno;
  const auto byte = static_cast<unsigned char>(number);
  [[maybe_unused]] const ssize_t written = write(g_pipe.load(), &byte, 1);
  errno = saved_errno;
}

bool IsIgnored(int number) {
  struct sigaction action {};
  FACEGATE_CHECK(sigaction(number, nullptr, &action) == 0);
  return action.sa_handler == SIG_IGN;
}

void Handle(int number, void (*handler)(int)) {
  struct sigaction action {};
  action.sa_handler = handler;
  action.sa_flags = SA_RESTART;
  sigemptyset(&action.sa_mask);
  FACEGATE_CHECK(sigaction(number, &action, nullptr) == 0);
}

}  // namespace

StopSignals::StopSignals() {
  int ends[2];
  FACEGATE_CHECK(pipe2(ends, O_CLOEXEC) == 0);
  read_end_ = ends[0];
  write_end_ = ends[1];
  g_signalled = false;
  g_pipe = write_end_;
  thread_ = std::thread([this] { Listen(); });
  Handle(SIGTERM, OnSignal);
  Handle(SIGINT, OnSignal);
  if (!IsIgnored(SIGHUP)) Handle(SIGHUP, OnSignal);
  Handle(SIGPIPE, SIG_IGN);
}

StopSignals::~StopSignals() {
  Handle(SIGTERM, SIG_DFL);
  Handle(SIGINT, SIG_DFL);
  if (!IsIgnored(SIGHUP)) Handle(SIGHUP, SIG_DFL);
  FACEGATE_CHECK(write(write_end_, &kEnd, 1) == 1);
  thread_.join();
  g_pipe = -1;
  close(write_end_);
  close(read_end_);
}

void StopSignals::Wait() {
  const MutexLock lock(mutex_);
  while (!requested_) wake_.Wait(mutex_);
}

bool StopSignals::WaitFor(std::chrono::milliseconds limit) {
  const Deadline deadline = Clock::System().Now() + limit;
  const MutexLock lock(mutex_);
  while (!requested_) {
    if (!wake_.WaitUntil(mutex_, deadline)) return requested_;
  }
  return true;
}

void StopSignals::Listen() {
  for (;;) {
    unsigned char number = kEnd;
    if (read(read_end_, &number, 1) != 1) continue;  // interrupted
    if (number == kEnd) return;
    LogInfo("signal {}: stopping; SIGTERM or SIGINT now ends the process at once", number);
    {
      const MutexLock lock(mutex_);
      requested_ = true;
    }
    wake_.NotifyAll();
  }
}

}  // namespace facegate
