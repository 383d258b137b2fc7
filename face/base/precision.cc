#include "face/base/precision.h"

#include <array>

namespace facegate {
namespace {

struct Name {
  Precision precision;
  std::string_view name;
};

constexpr std::array kNames = {Name{Precision::kFp32, "fp32"}, Name{Precision::kTf32, "tf32"},
                               Name{Precision::kFp16, "fp16"}, Name{Precision::kBf16, "bf16"}};

}  // namespace

std::string_view PrecisionName(Precision precision) {
  for (const Name& one : kNames) {
    if (one.precision == precision) return one.name;
  }
  return "";
}

std::optional<Precision> PrecisionFromName(std::string_view name) {
  for (const Name& one : kNames) {
    if (one.name == name) return one.precision;
  }
  return std::nullopt;
}

}  // namespace facegate
