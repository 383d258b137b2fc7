#pragma once

#include "face/base/device.h"

namespace facegate {

// Looks at the machine; in a build for CPUs it says just that. It keeps no memory of a card.
CudaMachine FindCuda();

}  // namespace facegate
