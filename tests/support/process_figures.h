#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>

namespace facegate {

// The kernel tells this of a running process (/proc/PID). 0 where it is gone.
uint64_t ResidentBytes(pid_t pid);      // now
uint64_t PeakResidentBytes(pid_t pid);  // the most since its start
size_t OpenFiles(pid_t pid);
size_t ThreadCount(pid_t pid);

}  // namespace facegate
