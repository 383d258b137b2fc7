#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "face/base/status.h"

// How processes of one machine become a group. No LibTorch.
namespace facegate {

class ProcessGroup;

struct GlooOptions {
  // A file that does not exist, the same for all: they meet there. Of no use once they have met.
  std::string rendezvous{};
  int rank = 0;
  int size = 1;
  // The longest wait for the others: to meet and to connect, and in each call.
  std::chrono::milliseconds to_meet = std::chrono::minutes(2);
  std::chrono::milliseconds deadline = std::chrono::minutes(10);
  // Asked all the time while it waits for others to come: an error ends the wait. May be empty.
  std::function<Status()> still_coming{};
};

// By c10d's Gloo over the loopback interface. kUnavailable where they do not meet,
// kFailedPrecondition where this build has no Gloo.
StatusOr<std::shared_ptr<ProcessGroup>> JoinGlooGroup(const GlooOptions& options);
// Tells whether this build has Gloo.
bool HasGloo();
// ProcessGroup::has_failed().
bool HasFailed(const ProcessGroup& group);

}  // namespace facegate
