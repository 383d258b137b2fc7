#pragma once

#include <memory>

#include "face/base/status.h"
#include "trainer/run/recipe.h"
#include "trainer/run/session.h"

namespace facegate {

class ProcessGroup;

// Trains as one of the processes of a run that Fit() leads in the process of rank 0: does what that
// one does, with its own part of each batch and of the head, until that one says that it is over.
// It writes nothing. kUnavailable where the leading process is gone.
Status FollowFit(const Recipe& spelled_out, const std::shared_ptr<ProcessGroup>& group,
                 const Session& session);

}  // namespace facegate
