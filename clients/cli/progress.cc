#include "clients/cli/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <cstdint>

namespace facegate::cli {
namespace {

constexpr std::chrono::milliseconds kTerminalPause(100);
constexpr std::chrono::seconds kPlainPause(5);

std::string FormatDuration(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(seconds));
  if (whole >= 3600) {
    return fmt::format("{}:{:02}:{:02}", whole / 3600, whole / 60 % 60, whole % 60);
  }
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

std::string ProgressLine(size_t done, size_t total, size_t failed, double seconds) {
  constexpr size_t kWidth = 24;
  const size_t shown = std::min(done, total);
  const size_t filled = total == 0 ? kWidth : kWidth * shown / total;
  const double rate = seconds > 0 ? static_cast<double>(done) / seconds : 0.0;
  std::string line = fmt::format("[{}{}] {}/{}  {}%  {:.1f}/s", std::string(filled, '#'),
                                 std::string(kWidth - filled, '.'), done, total,
                                 total == 0 ? 100 : 100 * shown / total, rate);
  if (rate > 0 && shown < total) {
    line += fmt::format("  {} left", FormatDuration(static_cast<double>(total - shown) / rate));
  }
  if (failed > 0) line += fmt::format("  {} failed", failed);
  return line;
}

Progress::Progress(std::ostream& out, bool terminal, size_t total)
    : out_(out), terminal_(terminal), total_(total), start_(Clock::now()), last_drawn_(start_) {}

void Progress::Advance(bool ok) {
  const std::lock_guard lock(mutex_);
  ++done_;
  failed_ += ok ? 0 : 1;
  const Clock::time_point now = Clock::now();
  const Clock::duration pause = terminal_ ? Clock::duration(kTerminalPause) : kPlainPause;
  if (now - last_drawn_ >= pause) Draw(now);
}

void Progress::Finish() {
  const std::lock_guard lock(mutex_);
  Draw(Clock::now());
  if (terminal_) out_ << "\n" << std::flush;
}

void Progress::Draw(Clock::time_point now) {
  const std::chrono::duration<double> elapsed = now - start_;
  const std::string line = ProgressLine(done_, total_, failed_, elapsed.count());
  last_drawn_ = now;
  if (terminal_) {
    // Back to the first column; ESC [ K clears what a longer line left behind.
    out_ << "\r" << line << "\x1b[K" << std::flush;
  } else {
    out_ << line << "\n" << std::flush;
  }
}

}  // namespace facegate::cli
