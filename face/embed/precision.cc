#include "face/embed/precision.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>

namespace facegate {
namespace {

struct Row {
  Precision precision;
  std::string_view name;
  double tolerance;
};

// The coarsest first.
constexpr std::array kRows = {
    Row{Precision::kBf16, "bf16", 1e-3}, Row{Precision::kFp16, "fp16", 1e-4},
    Row{Precision::kTf32, "tf32", 1e-4}, Row{Precision::kFp32, "fp32", 1e-3}};

constexpr std::string_view kAuto = "auto";

const Row* RowOf(std::string_view name) {
  const auto* const found =
      std::find_if(kRows.begin(), kRows.end(), [&](const Row& row) { return row.name == name; });
  return found == kRows.end() ? nullptr : found;
}

const Row& RowOf(Precision precision) {
  return *std::find_if(kRows.begin(), kRows.end(),
                       [&](const Row& row) { return row.precision == precision; });
}

}  // namespace

std::string_view PrecisionName(Precision precision) { return RowOf(precision).name; }

double CanaryTolerance(Precision precision) { return RowOf(precision).tolerance; }

Status CheckPrecisionName(std::string_view name) {
  if (name == kAuto || RowOf(name) != nullptr) return OkStatus();
  return InvalidArgument(
      fmt::format("unknown precision \"{}\", expected auto, fp32, tf32, fp16 or bf16", name));
}

StatusOr<std::vector<Precision>> PrecisionsToTry(std::string_view name, bool on_card) {
  FACEGATE_RETURN_IF_ERROR(CheckPrecisionName(name));
  if (!on_card) {
    if (name == kAuto || name == PrecisionName(Precision::kFp32)) {
      return std::vector<Precision>{Precision::kFp32};
    }
    return FailedPrecondition(
        fmt::format("precision {}: the CPU computes in fp32 alone; use auto or fp32", name));
  }
  const Row* const first = name == kAuto ? &RowOf(Precision::kFp16) : RowOf(name);
  std::vector<Precision> precisions;
  std::transform(first, kRows.data() + kRows.size(), std::back_inserter(precisions),
                 [](const Row& row) { return row.precision; });
  return precisions;
}

}  // namespace facegate
