#include "server/stop_signals.h"

#include <pthread.h>
#include <unistd.h>

#include <csignal>

#include "face/base/log.h"

namespace facegate {
namespace {

constexpr int kExitBySignal = 128;

sigset_t StopSet() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

}  // namespace

StopSignals::StopSignals() {
  const sigset_t set = StopSet();
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
  std::signal(SIGPIPE, SIG_IGN);
  thread_ = std::thread([this] { Listen(); });
}

StopSignals::~StopSignals() {
  closing_ = true;
  pthread_kill(thread_.native_handle(), SIGTERM);
  thread_.join();
}

void StopSignals::Wait() {
  const MutexLock lock(mutex_);
  while (!requested_) wake_.Wait(mutex_);
}

void StopSignals::Listen() {
  const sigset_t set = StopSet();
  for (;;) {
    int number = 0;
    if (sigwait(&set, &number) != 0) continue;
    if (closing_) return;
    if (requested_) {
      LogWarning("second signal: the process ends at once");
      _exit(kExitBySignal + number);
    }
    LogInfo("signal {}: stopping", number);
    {
      const MutexLock lock(mutex_);
      requested_ = true;
    }
    wake_.NotifyAll();
  }
}

}  // namespace facegate
