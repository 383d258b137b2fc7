#pragma once

#include "face/base/device.h"
#include "face/base/status.h"
#include "trainer/run/recipe.h"

namespace facegate {

// Where the process of a run with that rank computes. One alone: as ChooseDevice() says. Several:
// on the CPU; where they have cards, each on one of its own, from that of machine.device on, and
// kFailedPrecondition says that there are too few. `have_cards` tells whether this build has NCCL.
StatusOr<Device> DeviceOfProcess(const Recipe::Machine& keys, int rank, const CudaMachine& machine,
                                 bool have_cards);
// The same of this machine and build.
StatusOr<Device> DeviceOfProcess(const Recipe::Machine& keys, int rank);

}  // namespace facegate
