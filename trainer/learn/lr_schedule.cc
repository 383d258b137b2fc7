#include "trainer/learn/lr_schedule.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <numbers>
#include <utility>

namespace facegate {
namespace {

constexpr double kYoloxWarmupStart = 0.1;  // of the base

Status CheckOptions(const ScheduleOptions& options) {
  const std::vector<std::string>& kinds = ScheduleKinds();
  if (std::find(kinds.begin(), kinds.end(), options.kind) == kinds.end()) {
    return InvalidArgument(
        fmt::format("the schedule {} is not one of {}", options.kind, fmt::join(kinds, ", ")));
  }
  FACEGATE_RETURN_IF_ERROR(CheckRange("the learning rate", options.base, ScheduleRange::kRate));
  if (!(options.minimum >= 0.0 && options.minimum <= options.base)) {
    return InvalidArgument(fmt::format("the smallest learning rate is {}, must be 0 to {}",
                                       options.minimum, options.base));
  }
  if (options.total < 1) return InvalidArgument("a schedule must have at least 1 step");
  if (options.warmup < 0 || options.tail < 0 || options.warmup + options.tail > options.total) {
    return InvalidArgument(fmt::format("{} steps of warm-up and {} of tail do not fit into {}",
                                       options.warmup, options.tail, options.total));
  }
  if (options.kind == "step" && options.every < 1) {
    return InvalidArgument("the schedule step needs a length of at least 1 step");
  }
  FACEGATE_RETURN_IF_ERROR(CheckRange("gamma", options.gamma, ScheduleRange::kGamma));
  FACEGATE_RETURN_IF_ERROR(CheckRange("power", options.power, ScheduleRange::kPower));
  if (!std::is_sorted(options.milestones.begin(), options.milestones.end())) {
    return InvalidArgument("milestones must be ascending");
  }
  return OkStatus();
}

}  // namespace

const std::vector<std::string>& ScheduleKinds() {
  static const std::vector<std::string> kinds = {"constant", "step",       "multistep",
                                                 "cosine",   "polynomial", "yolox"};
  return kinds;
}

StatusOr<LrSchedule> LrSchedule::Create(ScheduleOptions options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  return LrSchedule(std::move(options));
}

double LrSchedule::At(int64_t step) const {
  step = std::clamp<int64_t>(step, 0, options_.total - 1);
  if (step >= options_.warmup) return AfterWarmup(step);
  const double done = static_cast<double>(step + 1) / static_cast<double>(options_.warmup);
  if (options_.kind != "yolox") return options_.base * done;
  const double start = options_.base * kYoloxWarmupStart;
  return start + (options_.base - start) * done * done;
}

double LrSchedule::AfterWarmup(int64_t step) const {
  const ScheduleOptions& o = options_;
  if (o.kind == "constant") return o.base;
  if (o.kind == "step") {
    const int64_t falls = step / o.every;
    return o.base * std::pow(o.gamma, static_cast<double>(falls));
  }
  if (o.kind == "multistep") {
    const auto passed = std::upper_bound(o.milestones.begin(), o.milestones.end(), step);
    return o.base * std::pow(o.gamma, static_cast<double>(passed - o.milestones.begin()));
  }
  // These fall from the end of the warm-up to the last step (yolox: to the tail).
  const int64_t tail = o.kind == "yolox" ? o.tail : 0;
  const int64_t length = o.total - o.warmup - tail;
  if (step >= o.total - tail) return o.minimum;
  const double done = static_cast<double>(step - o.warmup) / static_cast<double>(length);
  if (o.kind == "polynomial") {
    return o.minimum + (o.base - o.minimum) * std::pow(1.0 - done, o.power);
  }
  return o.minimum + (o.base - o.minimum) * 0.5 * (1.0 + std::cos(std::numbers::pi * done));
}

}  // namespace facegate
