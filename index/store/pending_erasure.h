#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <vector>

#include "face/base/mutex.h"
#include "face/base/status.h"
#include "index/store/key_codec.h"
#include "index/store/key_range.h"

namespace facegate {

// Keeps account of what a store still has to erase from its files, family by family, and of the
// families that have a mark in the store that says so. Thread-safe.
class PendingErasure {
 public:
  // A store was opened with the mark of `family`.
  void Opened(Family family);

  // Comes before the write that deletes or overwrites `erased`. Returns the families whose marks
  // must be written with it, because the store does not have them yet.
  std::vector<Family> Begin(const ErasedKeys& erased);
  // Comes after that write, also when it failed: the next opening may find it done all the same.
  void End(const ErasedKeys& erased, bool written);

  bool empty() const;
  ErasedKeys waiting() const;
  // Takes all that waits, for a compaction; what it could not do comes back with GiveBack(). Until
  // that, or Finish(), there must be no other.
  ErasedKeys Take();
  void GiveBack(const ErasedKeys& erased);
  // Comes after a compaction of what was taken: calls `remove_marks` with the families where
  // nothing was deleted meanwhile, nor is about to be. It does so under the lock, so that the next
  // mark comes after.
  Status Finish(const std::function<Status(const std::vector<Family>&)>& remove_marks);

 private:
  struct Work {
    KeyRanges ranges;
    size_t writes = 0;     // at work now
    bool pending = false;  // as the mark in the store, or ahead of it
    bool marked = false;
  };

  mutable Mutex mutex_;
  std::map<Family, Work> work_ FACEGATE_GUARDED_BY(mutex_);
};

}  // namespace facegate
