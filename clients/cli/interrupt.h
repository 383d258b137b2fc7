#pragma once

#include <csignal>

namespace facegate::cli {

// Notes Ctrl-C (SIGINT) while one of these lives, instead of ending the process, so that what is
// being done can be ended in order. The second Ctrl-C ends the process. One at a time.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  // True when it came since this was made. Thread-safe.
  bool interrupted() const;

 private:
  struct sigaction before_ {};
};

}  // namespace facegate::cli
