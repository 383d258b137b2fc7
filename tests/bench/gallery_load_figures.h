#pragma once

#include <atomic>
#include <cstddef>
#include <functional>
#include <nlohmann/json.hpp>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// How long calls took, in milliseconds.
class CallTimes {
 public:
  // Calls again and again for so many seconds, once at least. The first error ends it.
  Status Measure(double seconds, const std::function<Status()>& call);
  void Add(double ms) { times_.push_back(ms); }

  size_t size() const { return times_.size(); }
  // The time that so much of the calls (0 to 1) did not exceed; 0 without calls.
  double Quantile(double share) const;

 private:
  std::vector<double> times_;
};

// Threads that call again and again until the end of scope. `call` gets the number of its thread.
class Callers {
 public:
  Callers(size_t threads, const std::function<Status(size_t)>& call);
  // Waits for the calls at work. The first error of any thread.
  Status Stop();
  size_t calls() const { return calls_.load(); }

 private:
  std::vector<Status> errors_;
  std::atomic<size_t> calls_{0};
  std::atomic<bool> stopped_{false};
  std::vector<std::jthread> threads_;
};

// Calls a second by so many threads.
StatusOr<double> RateOf(size_t threads, double seconds, const std::function<Status(size_t)>& call);

// What was measured, and what it should be.
struct Figure {
  std::string name;
  double value = 0.0;
  std::string unit;
  std::optional<double> at_most{};
  std::optional<double> at_least{};

  bool HasGoal() const { return at_most.has_value() || at_least.has_value(); }
  bool IsMet() const {
    return value <= at_most.value_or(value) && value >= at_least.value_or(value);
  }
};

class Figures {
 public:
  // Prints the table's next row.
  void Add(Figure figure);
  // Writes them as an array, unless `file` is empty.
  Status WriteJson(const std::string& file) const;

 private:
  std::vector<Figure> figures_;
};

}  // namespace facegate
