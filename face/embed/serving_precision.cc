#include "face/embed/serving_precision.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

namespace facegate {
namespace {

// The coarsest first.
constexpr std::array kOrder = {Precision::kBf16, Precision::kFp16, Precision::kTf32,
                               Precision::kFp32};
constexpr Precision kUsualOnCard = Precision::kFp16;

}  // namespace

double CanaryTolerance(Precision precision) {
  // A CPU's fp32 has always been let differ as much as bf16 may: by the library, not by rounding.
  return precision == Precision::kFp16 || precision == Precision::kTf32 ? 1e-4 : 1e-3;
}

StatusOr<std::vector<Precision>> PrecisionsToTry(std::string_view name, bool on_card) {
  const bool any = name == "auto";
  const std::optional<Precision> asked =
      any ? std::optional(on_card ? kUsualOnCard : Precision::kFp32) : PrecisionFromName(name);
  if (!asked.has_value()) {
    return InvalidArgument(
        fmt::format("unknown precision \"{}\", expected auto, fp32, tf32, fp16 or bf16", name));
  }
  if (!on_card && *asked != Precision::kFp32) {
    return FailedPrecondition(
        fmt::format("precision {}: the CPU computes in fp32 alone; use auto or fp32", name));
  }
  const auto* const first = std::find(kOrder.begin(), kOrder.end(), *asked);
  return std::vector<Precision>(first, kOrder.end());
}

}  // namespace facegate
