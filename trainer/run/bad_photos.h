#pragma once

#include <string>
#include <utility>
#include <vector>

#include "face/base/mutex.h"
#include "face/base/status.h"

namespace facegate {

// Photos that could not be read, told by the loader's threads and said by the run's own.
// Thread-safe.
class BadPhotos {
 public:
  void Add(const Status& status) {
    const MutexLock lock(mutex_);
    messages_.emplace_back(MessageOf(status));
  }
  // Returns those that were added since the last call.
  std::vector<std::string> Take() {
    const MutexLock lock(mutex_);
    return std::exchange(messages_, {});
  }

 private:
  Mutex mutex_;
  std::vector<std::string> messages_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace facegate
