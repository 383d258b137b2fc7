#include "trainer/parallel/meeting.h"

#include "trainer/parallel/gloo_group.h"
#include "trainer/parallel/nccl_group.h"
#include "trainer/parallel/process_group.h"

namespace facegate {

StatusOr<std::shared_ptr<ProcessGroup>> JoinGroup(const MeetingOptions& options) {
  return HasNccl() ? JoinNcclGroup(options) : JoinGlooGroup(options);
}

bool HasGroups() { return HasNccl() || HasGloo(); }

bool HasFailed(const ProcessGroup& group) { return group.has_failed(); }

}  // namespace facegate
