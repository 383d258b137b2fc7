#include "face/base/precision.h"

#include <array>
#include <utility>

namespace facegate {
namespace {

constexpr std::array kNames = {std::pair(Precision::kFp32, std::string_view("fp32")),
                               {Precision::kTf32, "tf32"},
                               {Precision::kFp16, "fp16"},
                               {Precision::kBf16, "bf16"}};

}  // namespace

std::string_view PrecisionName(Precision precision) {
  for (const auto& [one, name] : kNames) {
    if (one == precision) return name;
  }
  return "";
}

std::optional<Precision> PrecisionFromName(std::string_view name) {
  for (const auto& [one, its_name] : kNames) {
    if (its_name == name) return one;
  }
  return std::nullopt;
}

}  // namespace facegate
