#include "trainer/run/fit_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

namespace facegate {
namespace {

constexpr std::chrono::milliseconds kRedraw(250);
constexpr std::chrono::seconds kLine(30);
constexpr double kForget = 0.05;

}  // namespace

std::string DurationText(double seconds) {
  const auto whole = static_cast<int64_t>(std::llround(std::max(0.0, seconds)));
  const int64_t hours = whole / 3600;
  if (hours > 0) return fmt::format("{}:{:02}:{:02}", hours, whole / 60 % 60, whole % 60);
  return fmt::format("{}:{:02}", whole / 60, whole % 60);
}

FitProgress::FitProgress(std::ostream& out, bool terminal, int64_t begin, int64_t total,
                         double epochs)
    : out_(out),
      terminal_(terminal),
      begin_(begin),
      total_(total),
      epochs_(epochs),
      start_(Clock::now()),
      next_(start_ + kRedraw) {}

void FitProgress::Show(const StepRow& row) {
  if (std::isfinite(row.loss)) {
    loss_ = any_ ? loss_ + kForget * (row.loss - loss_) : row.loss;
    accuracy_ = any_ ? accuracy_ + kForget * (row.accuracy - accuracy_) : row.accuracy;
    any_ = true;
  }
  const auto now = Clock::now();
  const int64_t done = row.batch + 1;
  if (now < next_ && done < total_) return;
  next_ = now + (terminal_ ? std::chrono::duration_cast<Clock::duration>(kRedraw)
                           : std::chrono::duration_cast<Clock::duration>(kLine));
  const double seconds = std::chrono::duration<double>(now - start_).count();
  const double left = seconds / static_cast<double>(std::max<int64_t>(1, done - begin_)) *
                      static_cast<double>(total_ - done);
  std::string text = fmt::format(
      "epoch {:.2f}/{:g}  batch {}/{}  loss {:.4f}  accuracy {:.1f} %  rate {:.5g}  {:.1f} "
      "images/s  {} left",
      row.epoch, epochs_, done, total_, loss_, 100.0 * accuracy_, row.learning_rate,
      row.images_per_second, DurationText(left));
  if (terminal_) {
    out_ << "\r\x1b[K" << text << std::flush;
    on_line_ = true;
  } else {
    out_ << text << std::endl;
  }
}

void FitProgress::Say(const std::string& text) {
  if (on_line_) out_ << "\r\x1b[K";
  on_line_ = false;
  out_ << text << std::endl;
}

}  // namespace facegate
