#pragma once

#include <optional>
#include <string_view>

namespace facegate {

// How finely a network computes. In tf32, which cards have, the factors of products have 10 bits of
// fraction; in fp16 all numbers do, in bf16 they have 7. Sums are fp32 in all of them.
enum class Precision { kFp32, kTf32, kFp16, kBf16 };

// "fp32", "tf32", "fp16" or "bf16".
std::string_view PrecisionName(Precision precision);
// Nothing for another name.
std::optional<Precision> PrecisionFromName(std::string_view name);

}  // namespace facegate
