#pragma once

#include <cstdint>
#include <exception>
#include <string_view>

#include "face/base/status.h"
#include "trainer/learn/card.h"

namespace facegate {

// Says in a sentence what an exception means that a step on a card has thrown, and what to do.
// kResourceExhausted: its memory is too small for a batch of `photos`, or, where that is 0, for the
// network. kUnavailable: the card failed, and does nothing more in this process. kInternal:
// anything else. `card` is its name, "cuda:0".
Status CardFailure(std::string_view card, const std::exception& error, const CardMemory& memory,
                   int64_t photos);

}  // namespace facegate
