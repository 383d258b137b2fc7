#pragma once

#include <cstddef>
#include <ostream>
#include <string>

#include "trainer/run/status_line.h"

namespace facegate {

// Shows how far a long job is, with its rate and the time left: one line that is drawn again on a
// terminal, a plain line every ten seconds otherwise. Not thread-safe.
class ProgressBar {
 public:
  // `out` outlives it. `what` names what is counted, such as "photos".
  ProgressBar(std::ostream& out, bool terminal, std::string what, size_t total);

  // One more is done.
  void Advance();
  // Shows the last state; nothing when the job took less than two seconds.
  void Finish();

 private:
  void Draw();

  StatusLine line_;
  const std::string what_;
  const size_t total_;
  size_t done_ = 0;
};

// "1240/7701 photos  16%  212.4/s  0:30 left"
std::string ProgressText(const std::string& what, size_t done, size_t total, double seconds);

}  // namespace facegate
