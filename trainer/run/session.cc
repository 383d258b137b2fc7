#include "trainer/run/session.h"

#include <ATen/Parallel.h>

#include <algorithm>
#include <thread>

#include "face/base/shown_text.h"
#include "face/image/opencv_threads.h"
#include "trainer/run/stop_on_signal.h"

namespace facegate {

Session::Session(const SessionOptions& options) : options_(options) {
  if (options_.threads == 0) {
    options_.threads = std::max(1, static_cast<int>(std::thread::hardware_concurrency()));
  }
  SetOpenCvThreads(1);
}

void Session::UseThreads() const { at::set_num_threads(options_.threads); }

bool Session::asked_to_stop() {
  if (options_.asked_to_stop && options_.asked_to_stop()) return true;
  if (!StopOnSignal::requested()) return false;
  if (!has_said_stopping_) {
    options_.progress << "\nstopping with a checkpoint; press again to end at once" << std::endl;
  }
  has_said_stopping_ = true;
  return true;
}

void Session::Print(const std::string& text) {
  if (line_.has_value()) {
    line_->Say(ShownText(text));
  } else {
    options_.out << ShownText(text) << std::endl;
  }
}

Status Session::Say(const std::string& text) {
  Print(text);
  notes_.push_back(text);
  return log_ == nullptr ? OkStatus() : log_->Note(text);
}

Status Session::KeepIn(report::RunLog& log) {
  log_ = &log;
  for (const std::string& note : notes_) FACEGATE_RETURN_IF_ERROR(log.Note(note));
  return OkStatus();
}

ProgressBar Session::Bar(const std::string& what, size_t total) const {
  return {options_.progress, options_.terminal, what, total};
}

StatusLine& Session::BeginLine(const StatusLine::Pace& pace) {
  return line_.emplace(options_.progress, options_.terminal, pace);
}

}  // namespace facegate
