#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "face/base/status.h"

// How processes of one machine become a group. No LibTorch.
namespace facegate {

class ProcessGroup;

struct MeetingOptions {
  // A file that does not exist, the same for all: they meet there. Of no use once they have met.
  std::string rendezvous{};
  int rank = 0;
  int size = 1;
  // The longest wait for the others: to meet and to connect, and in each call.
  std::chrono::milliseconds to_meet = std::chrono::minutes(2);
  std::chrono::milliseconds deadline = std::chrono::minutes(10);
  // Asked all the time while it waits for others to come: an error ends the wait. May be empty.
  std::function<Status()> still_coming{};
  int first_card = 0;  // where they have cards: that of rank 0; each other rank has the next one
};

// By what this build has: NCCL in one for GPUs, each process on a card of its own, and Gloo in
// others. With the errors of JoinNcclGroup() and JoinGlooGroup().
StatusOr<std::shared_ptr<ProcessGroup>> JoinGroup(const MeetingOptions& options);
// Tells whether this build has either.
bool HasGroups();
// ProcessGroup::has_failed().
bool HasFailed(const ProcessGroup& group);

}  // namespace facegate
