#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <ostream>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/report/run_log.h"
#include "trainer/run/progress.h"
#include "trainer/run/status_line.h"

namespace facegate {

struct SessionOptions {
  std::ostream& out;       // what happens, a line each
  std::ostream& progress;  // how far it is
  bool terminal = false;   // whether `progress` can be drawn over
  int threads = 0;         // of LibTorch; 0: as many as the machine has cores
  // Asked between steps, beside signals: whether to keep what was learned and end. May be empty.
  std::function<bool()> asked_to_stop{};
};

// A training as whoever started it sees it: its lines and its log, its progress, its threads, and
// whether it shall stop. `fit` and the trainings of the small networks have one each. OpenCV
// computes on one thread from its beginning on. Not thread-safe.
class Session {
 public:
  // The streams outlive it.
  explicit Session(const SessionOptions& options);

  int threads() const { return options_.threads; }
  // Gives LibTorch the session's threads again, which other networks change.
  void UseThreads() const;

  // Tells whether somebody wants it to end, by SessionOptions::asked_to_stop or by a signal while
  // there is a StopOnSignal. Says so when a signal has come.
  bool asked_to_stop();

  // A line that whoever started it sees and nobody keeps.
  void Print(const std::string& text);
  // A sentence that is kept as well: in notes(), and in the log.
  Status Say(const std::string& text);
  // The log gets what has been said, and from here on what is said. It outlives the session's last
  // Say().
  Status KeepIn(report::RunLog& log);
  const std::vector<std::string>& notes() const { return notes_; }

  // How far a job is, counted in things called `what`.
  ProgressBar Bar(const std::string& what, size_t total) const;
  // The line of a progress that is not counted alone; lines of Print() and Say() come in its place.
  StatusLine& BeginLine(const StatusLine::Pace& pace);

 private:
  SessionOptions options_;
  report::RunLog* log_ = nullptr;
  std::optional<StatusLine> line_;
  std::vector<std::string> notes_;
  bool has_said_stopping_ = false;
};

}  // namespace facegate
