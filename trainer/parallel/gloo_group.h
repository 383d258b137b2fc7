#pragma once

#include <memory>

#include "face/base/status.h"
#include "trainer/parallel/meeting.h"

namespace facegate {

// By c10d's Gloo over the loopback interface. kUnavailable where they do not meet,
// kFailedPrecondition where this build has no Gloo.
StatusOr<std::shared_ptr<ProcessGroup>> JoinGlooGroup(const MeetingOptions& options);
// Tells whether this build has Gloo.
bool HasGloo();

}  // namespace facegate
