#pragma once

#include <memory>

#include "face/base/status.h"
#include "trainer/parallel/meeting.h"

namespace facegate {

// By c10d's NCCL: each process has a card of its own, and tensors are there or on the CPU. A call
// returns when the card is done with it; a process that has died is noticed meanwhile.
// kUnavailable where they do not meet, kFailedPrecondition where this build has no NCCL. It has
// been compiled, but not yet run: no machine of its tests has several cards.
StatusOr<std::shared_ptr<ProcessGroup>> JoinNcclGroup(const MeetingOptions& options);
// Tells whether this build has NCCL.
bool HasNccl();

}  // namespace facegate
