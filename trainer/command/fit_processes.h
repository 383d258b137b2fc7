#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "trainer/parallel/meeting.h"
#include "trainer/parallel/started_processes.h"
#include "trainer/run/recipe.h"
#include "trainer/run/session.h"

namespace facegate {

// What `fit` starts other processes of itself with: a hidden option each.
struct FollowOptions {
  int rank = 0;           // 0: it is not one of them
  std::string meeting{};  // folder of the recipe and the file where they meet
  int64_t leader = 0;     // the number of the process that leads
};

// The other processes of a run, as the one that leads has them.
class FitProcesses {
 public:
  FitProcesses() = default;
  FitProcesses(const FitProcesses&) = delete;
  FitProcesses& operator=(const FitProcesses&) = delete;

  // Starts those of the recipe, and meets them; the group does not outlive this. kAborted where
  // they cannot be started at all, kUnavailable where one of them dies or they do not meet.
  StatusOr<std::shared_ptr<ProcessGroup>> Join(const Recipe& spelled_out);
  // Says of a run that failed which process was to blame, where it was another one. kUnavailable
  // wherever the group is lost: the run may go on from its newest checkpoint.
  Status Explain(const Status& failure);
  // Waits for them, after a run that ended well.
  Status Finish();

 private:
  // The first that ended badly, and how.
  std::optional<std::string> Failed();

  std::shared_ptr<ProcessGroup> group_;
  std::unique_ptr<StartedProcesses> started_;
};

// The failure of a run whose processes have lost each other. Known is `who` died, as long as they
// were a group, or who ended badly `later`; or neither.
Status LostEachOther(const Status& failure, const std::optional<std::string>& who,
                     const std::optional<std::string>& later);

// The threads of each process of a run.
int ThreadsOfOne(const Recipe& spelled_out);

// Is one of the other processes, from its start to its end.
Status RunFollower(const FollowOptions& options);

}  // namespace facegate
