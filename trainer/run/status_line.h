#pragma once

#include <chrono>
#include <ostream>
#include <string>

namespace facegate {

// A line that says how far something is: drawn again over itself on a terminal, printed now and
// then otherwise. Not thread-safe.
class StatusLine {
 public:
  using Clock = std::chrono::steady_clock;
  struct Pace {
    std::chrono::milliseconds silence;  // before the first line
    std::chrono::milliseconds redraw;   // between two on a terminal
    std::chrono::milliseconds plain;    // between two that are printed
  };

  // `out` outlives it.
  StatusLine(std::ostream& out, bool terminal, const Pace& pace);

  double seconds() const;  // since it was made
  bool is_due() const { return Clock::now() >= next_; }
  bool was_drawn() const { return was_drawn_; }

  void Draw(const std::string& text);
  // Leaves what is drawn and goes to the next line.
  void End();
  // Prints a sentence in its place.
  void Say(const std::string& text);

 private:
  std::ostream& out_;
  const bool terminal_;
  const Pace pace_;
  const Clock::time_point start_;
  Clock::time_point next_;
  bool was_drawn_ = false;
  bool is_open_ = false;  // the terminal's cursor stands in it
};

// "1:02:03", "4:05".
std::string DurationText(double seconds);

}  // namespace facegate
