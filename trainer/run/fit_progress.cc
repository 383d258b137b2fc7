#include "trainer/run/fit_progress.h"

#include <fmt/format.h>

#include <algorithm>
#include <chrono>
#include <cmath>

namespace facegate {
namespace {

using std::chrono::milliseconds;

constexpr StatusLine::Pace kPace{
    .silence = milliseconds(250), .redraw = milliseconds(250), .plain = milliseconds(30'000)};
constexpr double kForget = 0.05;

}  // namespace

FitProgress::FitProgress(Session& session, int64_t begin, int64_t total, double epochs)
    : line_(session.BeginLine(kPace)), begin_(begin), total_(total), epochs_(epochs) {}

void FitProgress::Show(const report::StepRow& row) {
  if (std::isfinite(row.loss)) {
    loss_ = any_ ? loss_ + kForget * (row.loss - loss_) : row.loss;
    accuracy_ = any_ ? accuracy_ + kForget * (row.accuracy - accuracy_) : row.accuracy;
    any_ = true;
  }
  const int64_t done = row.batch + 1;
  if (!line_.is_due() && done < total_) return;
  const double left = line_.seconds() / static_cast<double>(std::max<int64_t>(1, done - begin_)) *
                      static_cast<double>(total_ - done);
  line_.Draw(fmt::format(
      "epoch {:.2f}/{:g}  batch {}/{}  loss {:.4f}  accuracy {:.1f} %  rate {:.5g}  {:.1f} "
      "images/s  {} left",
      row.epoch, epochs_, done, total_, loss_, 100.0 * accuracy_, row.learning_rate,
      row.images_per_second, DurationText(left)));
}

}  // namespace facegate
