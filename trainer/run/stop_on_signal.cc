#include "trainer/run/stop_on_signal.h"

#include <atomic>
#include <cstddef>

namespace facegate {
namespace {

// Counts the signals that have come; a signal handler can reach nothing else.
std::atomic<int> signals_seen = 0;
static_assert(std::atomic<int>::is_always_lock_free);
int living = 0;

}  // namespace

// A handler, because threads that LibTorch began before would not leave the signal to a waiting
// one.
StopOnSignal::StopOnSignal() : is_outermost_(living == 0) {
  living += 1;
  if (!is_outermost_) return;
  signals_seen = 0;
  struct sigaction action = {};
  action.sa_handler = [](int) { signals_seen += 1; };
  // Back to the usual effect once it has run.
  action.sa_flags = static_cast<int>(SA_RESETHAND | SA_RESTART);
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &action, &before_[i]);
}

StopOnSignal::~StopOnSignal() {
  living -= 1;
  if (!is_outermost_) return;
  for (size_t i = 0; i < kSignals.size(); ++i) sigaction(kSignals[i], &before_[i], nullptr);
  signals_seen = 0;
}

bool StopOnSignal::requested() { return signals_seen > 0; }

}  // namespace facegate
