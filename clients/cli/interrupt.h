#pragma once

#include <csignal>

namespace facegate {

// While one of these lives, Ctrl-C (SIGINT) does not end the process but is noted, so that what is
// being done can be ended in order. The second Ctrl-C ends the process. One at a time.
class InterruptWatch {
 public:
  InterruptWatch();
  ~InterruptWatch();
  InterruptWatch(const InterruptWatch&) = delete;
  InterruptWatch& operator=(const InterruptWatch&) = delete;

  // Since this was made. Thread-safe.
  bool interrupted() const;

 private:
  struct sigaction before_ {};
};

}  // namespace facegate
