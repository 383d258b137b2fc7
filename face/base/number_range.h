#pragma once

#include <limits>
#include <string>
#include <string_view>

#include "face/base/status.h"

namespace facegate {

// The numbers that an option takes, both ends included; none where max is not above min. One
// constant for each option serves what checks it, what reads it and what explains it.
struct NumberRange {
  static constexpr double kInfinity = std::numeric_limits<double>::infinity();

  double min = 0.0;
  double max = 0.0;

  // Not a NaN.
  constexpr bool Contains(double value) const { return value >= min && value <= max; }
};

// "0.5 to 2", "3 or more".
std::string RangeText(const NumberRange& range);
// kInvalidArgument, with name and range, for a number outside it.
Status CheckRange(std::string_view name, double value, const NumberRange& range);

}  // namespace facegate
