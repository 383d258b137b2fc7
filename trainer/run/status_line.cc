#include "trainer/run/status_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace facegate {
namespace {

constexpr char kClear[] = "\r\x1b[K";

}  // namespace

StatusLine::StatusLine(std::ostream& out, bool terminal, const Pace& pace)
    : out_(out),
      terminal_(terminal),
      pace_(pace),
      start_(Clock::now()),
      next_(start_ + pace.silence) {}

double StatusLine::seconds() const {
  return std::chrono::duration<double>(Clock::now() - start_).count();
}

void StatusLine::Draw(const std::string& text) {
  if (terminal_) {
    out_ << kClear << text << std::flush;
  } else {
    out_ << text << std::endl;
  }
  is_open_ = terminal_;
  was_drawn_ = true;
  next_ = Clock::now() + (terminal_ ? pace_.redraw : pace_.plain);
}

void StatusLine::End() {
  if (is_open_) out_ << std::endl;
  is_open_ = false;
}

void StatusLine::Say(const std::string& text) {
  if (is_open_) out_ << kClear;
  is_open_ = false;
  out_ << text << std::endl;
}

std::string DurationText(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(std::max(0.0, seconds)));
  const int64_t hours = whole / 3600;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace facegate
