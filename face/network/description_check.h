#pragma once

#include "face/base/status.h"
#include "face/network/description.h"

namespace facegate::network {

// Checks what no field of a description says alone: layers fit each other and give as many numbers
// as it says, no two tensors have one name, and layers run at most 20,000 times in all, as graphs
// call them. kInvalidArgument otherwise.
Status CheckDescription(const Description& description);

}  // namespace facegate::network
