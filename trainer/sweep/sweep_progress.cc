#include "trainer/sweep/sweep_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>

namespace facegate {
namespace {

using std::chrono::milliseconds;

constexpr StatusLine::Pace kPace{
    .silence = milliseconds(250), .redraw = milliseconds(250), .plain = milliseconds(30'000)};
constexpr double kSecondsPerHour = 3600.0;
constexpr double kHardlyAny = 1e-9;

}  // namespace

SweepProgress::SweepProgress(Session& session, double done, double total)
    : line_(session.BeginLine(kPace)), begin_(done), total_(total), done_(done) {}

void SweepProgress::Begin(const std::string& what, double share) {
  what_ = what;
  trial_begin_ = share;
}

void SweepProgress::Show(int64_t batches, int64_t total, const std::string& best) {
  if (!line_.is_due()) return;
  const double share =
      static_cast<double>(batches) / static_cast<double>(std::max<int64_t>(1, total));
  line_.Draw(fmt::format("{}  batch {}/{}  {}  {}", what_, batches, total,
                         SweepProgressText(begin_, done_ + std::max(0.0, share - trial_begin_),
                                           total_, line_.seconds()),
                         best));
}

void SweepProgress::End(double share) { done_ += std::max(0.0, share - trial_begin_); }

std::string SweepProgressText(double begin, double done, double total, double seconds) {
  const double rate = seconds > 0.0 ? (done - begin) / seconds : 0.0;  // trainings a second
  std::string text =
      fmt::format("{:.0f} %", 100.0 * std::min(1.0, done / std::max(kHardlyAny, total)));
  if (!(rate > 0.0)) return text;
  text += fmt::format("  {:.1f} trainings/h", rate * kSecondsPerHour);
  return text + fmt::format("  {} left", DurationText(std::max(0.0, total - done) / rate));
}

}  // namespace facegate
