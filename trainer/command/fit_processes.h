#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "face/base/status.h"
#include "trainer/parallel/gloo_group.h"
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
  // Starts those of the recipe, and meets them.
  StatusOr<std::shared_ptr<ProcessGroup>> Join(const Recipe& spelled_out);
  // Says of a run that failed which process was to blame, where it was another one.
  Status Explain(const Status& failure);
  // Waits for them, after a run that ended well.
  Status Finish();

 private:
  std::shared_ptr<ProcessGroup> group_;
  std::unique_ptr<StartedProcesses> started_;
};

// The threads of each process of a run.
int ThreadsOfOne(const Recipe& spelled_out);

// Is one of the other processes, from its start to its end.
Status RunFollower(const FollowOptions& options);

}  // namespace facegate
