#pragma once

#include <array>
#include <csignal>

namespace facegate {

// While it lives, the first SIGINT or SIGTERM only counts, and the second has its usual effect. One
// at a time in a process.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  // Tells whether a signal has come while one lives.
  static bool requested();

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM};
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace facegate
