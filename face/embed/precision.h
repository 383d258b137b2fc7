#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// How finely a network computes. In tf32 the factors of products have 10 bits of fraction, in fp16
// the numbers too, in bf16 they have 7; sums are fp32 in all of them.
enum class Precision { kFp32, kTf32, kFp16, kBf16 };

// "fp32", "tf32", "fp16" or "bf16".
std::string_view PrecisionName(Precision precision);

// OK for "auto" and the names above.
Status CheckPrecisionName(std::string_view name);

// What is tried in turn where `name` is asked for, the coarsest first: each that follows is finer,
// for a model that the one before does not serve well enough. "auto" is fp16 and what follows on a
// card, and fp32 on the CPU, which has no other. kInvalidArgument for another name,
// kFailedPrecondition for one that the CPU does not have.
StatusOr<std::vector<Precision>> PrecisionsToTry(std::string_view name, bool on_card);

// How far a cosine with the card's recorded embeddings may be from 1 for a precision to serve.
double CanaryTolerance(Precision precision);

}  // namespace facegate
