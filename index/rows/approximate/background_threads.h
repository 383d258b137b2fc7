#pragma once

#include <cstddef>
#include <functional>

namespace facegate {

// Half of the processor's, so that searches go on beside what is done in the background.
size_t BackgroundThreads();

// Calls `work` for each number below `count`, on so many threads (or fewer, where the system has no
// more), each of which gives its own number below `threads`. They give way to others; the one that
// calls waits, and works only where the system has no thread at all, because it keeps its priority:
// searches wait for its locks. Throws what `work` has thrown, after all have ended.
void ForEachOnThreads(size_t threads, size_t count,
                      const std::function<void(size_t thread, size_t number)>& work);

}  // namespace facegate
