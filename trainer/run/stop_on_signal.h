#pragma once

#include <array>
#include <csignal>

namespace facegate {

// While it lives, the first SIGINT or SIGTERM only counts, and the second has its usual effect. One
// that is made while another lives does nothing: of a job of several trainings, the signal stops
// the job. They end in the other order, in one thread.
class StopOnSignal {
 public:
  StopOnSignal();
  ~StopOnSignal();
  StopOnSignal(const StopOnSignal&) = delete;
  StopOnSignal& operator=(const StopOnSignal&) = delete;

  // Tells whether a signal has come while one lives, the outermost one.
  static bool requested();

 private:
  static constexpr std::array kSignals = {SIGINT, SIGTERM};
  const bool is_outermost_;
  std::array<struct sigaction, kSignals.size()> before_{};
};

}  // namespace facegate
