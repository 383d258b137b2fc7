#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "face/base/number_range.h"
#include "face/base/status.h"

namespace facegate {

// The ranges of the numbers of a schedule.
struct ScheduleRange {
  static constexpr NumberRange kRate{.min = 1e-12, .max = 1e30};
  static constexpr NumberRange kMinimum{.min = 0.0, .max = 1e3};  // and at most the rate
  static constexpr NumberRange kGamma{.min = 1e-6, .max = 1.0};
  static constexpr NumberRange kPower{.min = 1e-3, .max = 100.0};
};

// The learning rate as a function of the step alone, so that training goes on after a stop where it
// was. Lengths are in steps (parameter updates).
struct ScheduleOptions {
  // "constant", "step", "multistep", "cosine", "polynomial", "yolox".
  std::string kind = "cosine";
  double base = 0.1;     // the rate after the warm-up
  double minimum = 0.0;  // where cosine, polynomial and yolox end, 0..base
  int64_t total = 0;     // > 0
  int64_t warmup = 0;    // 0..total: rises linearly from 0 (yolox: quadratically from base / 10)
  int64_t every = 0;     // step: times `gamma` each so many steps, > 0
  double gamma = 0.1;    // step, multistep
  std::vector<int64_t> milestones{};  // multistep: times gamma at each; ascending
  double power = 1.0;                 // polynomial
  int64_t tail = 0;                   // yolox: steps at the minimum, at the end
};

class LrSchedule {
 public:
  // kInvalidArgument for an unknown kind or a number out of its range.
  static StatusOr<LrSchedule> Create(ScheduleOptions options);

  // The rate of the update `step`, 0 to total - 1; later ones are as the last.
  double At(int64_t step) const;
  const ScheduleOptions& options() const { return options_; }

 private:
  explicit LrSchedule(ScheduleOptions options) : options_(std::move(options)) {}

  double AfterWarmup(int64_t step) const;

  ScheduleOptions options_;
};

const std::vector<std::string>& ScheduleKinds();

}  // namespace facegate
