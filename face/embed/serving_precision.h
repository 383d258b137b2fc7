#pragma once

#include <string_view>
#include <vector>

#include "face/base/precision.h"
#include "face/base/status.h"

namespace facegate {

// What is tried in turn where `name` is asked for, the coarsest first: each that follows is finer,
// for a model that the one before does not serve well enough. "auto" is fp16 and what follows on a
// card, and fp32 on the CPU, which has no other. kInvalidArgument for another name,
// kFailedPrecondition for one that the CPU does not have.
StatusOr<std::vector<Precision>> PrecisionsToTry(std::string_view name, bool on_card);

// How far a cosine with the card's recorded embeddings may be from 1 for a precision to serve.
double CanaryTolerance(Precision precision);

}  // namespace facegate
