#include "face/decide/operating_point.h"

#include <fmt/format.h>

namespace facegate {

std::string_view OperatingPointName(OperatingPointKind kind) {
  switch (kind) {
    case OperatingPointKind::kMinCosine:
      return "min_cosine";
    case OperatingPointKind::kFmr:
      return "fmr";
    case OperatingPointKind::kFpir:
      return "fpir";
  }
  return "min_cosine";
}

Status CheckOperatingPoint(const OperatingPoint& point) {
  if (point.kind == OperatingPointKind::kMinCosine) {
    if (point.value >= -1.0 && point.value <= 1.0) return OkStatus();
    return RefuseField("min_cosine",
                       fmt::format("is {:g}, expected a number of -1 to 1", point.value));
  }
  if (point.value > 0.0 && point.value < 1.0) return OkStatus();
  return RefuseField(OperatingPointName(point.kind),
                     fmt::format("is {:g}, expected a rate above 0 and below 1", point.value));
}

}  // namespace facegate
