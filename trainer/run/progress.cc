#include "trainer/run/progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <utility>

namespace facegate {
namespace {

constexpr std::chrono::milliseconds kSilence{2000};  // shorter jobs show nothing
constexpr std::chrono::milliseconds kRedraw{200};
constexpr std::chrono::milliseconds kPlainLine{10'000};

std::string Minutes(double seconds) {
  const auto whole = static_cast<long>(std::lround(seconds));
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

}  // namespace

std::string ProgressText(const std::string& what, size_t done, size_t total, double seconds) {
  const double rate = seconds > 0.0 ? static_cast<double>(done) / seconds : 0.0;
  std::string text = fmt::format("{}/{} {}  {}%  {:.1f}/s", done, total, what,
                                 total == 0 ? 100 : 100 * done / total, rate);
  if (done >= total) return text + "  in " + Minutes(seconds);
  if (rate > 0.0) text += "  " + Minutes(static_cast<double>(total - done) / rate) + " left";
  return text;
}

ProgressBar::ProgressBar(std::ostream& out, bool terminal, std::string what, size_t total)
    : out_(out),
      terminal_(terminal),
      what_(std::move(what)),
      total_(total),
      start_(Clock::now()),
      next_draw_(start_ + kSilence) {}

void ProgressBar::Advance() {
  done_ += 1;
  const Clock::time_point now = Clock::now();
  if (now >= next_draw_ && done_ < total_) Draw(now, false);
}

void ProgressBar::Finish() {
  if (drawn_) Draw(Clock::now(), true);
}

void ProgressBar::Draw(Clock::time_point now, bool last) {
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const std::string text = ProgressText(what_, done_, total_, seconds);
  if (terminal_) {
    // The text is written over the whole last line.
    out_ << '\r' << text << "\x1b[K" << (last ? "\n" : "") << std::flush;
  } else {
    out_ << text << std::endl;
  }
  drawn_ = true;
  next_draw_ = now + (terminal_ ? kRedraw : kPlainLine);
}

}  // namespace facegate
