#include "face/base/number_range.h"

#include <fmt/format.h>

#include <cmath>

namespace facegate {

std::string RangeText(const NumberRange& range) {
  if (std::isinf(range.max)) return fmt::format("{:g} or more", range.min);
  return fmt::format("{:g} to {:g}", range.min, range.max);
}

Status CheckRange(std::string_view name, double value, const NumberRange& range) {
  if (range.Contains(value)) return OkStatus();
  return InvalidArgument(fmt::format("{} is {:g}, must be {}", name, value, RangeText(range)));
}

}  // namespace facegate
