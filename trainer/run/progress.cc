#include "trainer/run/progress.h"

#include <fmt/format.h>

#include <chrono>
#include <utility>

namespace facegate {
namespace {

using std::chrono::milliseconds;

// Jobs that are shorter than the silence show nothing.
constexpr StatusLine::Pace kPace{
    .silence = milliseconds(2000), .redraw = milliseconds(200), .plain = milliseconds(10'000)};

}  // namespace

std::string ProgressText(const std::string& what, size_t done, size_t total, double seconds) {
  const double rate = seconds > 0.0 ? static_cast<double>(done) / seconds : 0.0;
  std::string text = fmt::format("{}/{} {}  {}%  {:.1f}/s", done, total, what,
                                 total == 0 ? 100 : 100 * done / total, rate);
  if (done >= total) return text + "  in " + DurationText(seconds);
  if (rate > 0.0) text += "  " + DurationText(static_cast<double>(total - done) / rate) + " left";
  return text;
}

ProgressBar::ProgressBar(std::ostream& out, bool terminal, std::string what, size_t total)
    : line_(out, terminal, kPace), what_(std::move(what)), total_(total) {}

void ProgressBar::Advance() {
  done_ += 1;
  if (line_.is_due() && done_ < total_) Draw();
}

void ProgressBar::Finish() {
  if (!line_.was_drawn()) return;
  Draw();
  line_.End();
}

void ProgressBar::Draw() { line_.Draw(ProgressText(what_, done_, total_, line_.seconds())); }

}  // namespace facegate
