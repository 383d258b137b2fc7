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

  // A write that deletes or overwrites `erased`: made before it, and gone after it. Only then may a
  // compaction take the places, which wait also when the write failed: the next opening may find it
  // done all the same. Nothing can fail after the write. `erasure` must outlive it.
  class Writing {
   public:
    Writing(PendingErasure& erasure, ErasedKeys erased);
    ~Writing();
    Writing(const Writing&) = delete;
    Writing& operator=(const Writing&) = delete;
    // The families whose marks must be written with it, because the store does not have them yet.
    const std::vector<Family>& unmarked() const { return unmarked_; }
    // The store has the write, and these marks with it.
    void Done() { written_ = true; }

   private:
    PendingErasure& erasure_;
    ErasedKeys erased_;
    std::vector<Family> unmarked_;
    bool written_ = false;
  };

  // All that waits, taken for a compaction. It waits again when this goes without Finish(); until
  // then there must be no other. `erasure` must outlive it.
  class Taken {
   public:
    explicit Taken(PendingErasure& erasure);
    ~Taken();
    Taken(const Taken&) = delete;
    Taken& operator=(const Taken&) = delete;
    const ErasedKeys& keys() const { return keys_; }
    // Comes after the compaction: calls `remove_marks` with the families where nothing was deleted
    // meanwhile, nor is about to be. It does so under the lock, so that the next mark comes after.
    Status Finish(const std::function<Status(const std::vector<Family>&)>& remove_marks);

   private:
    PendingErasure& erasure_;
    ErasedKeys keys_;
  };

  bool empty() const;
  ErasedKeys waiting() const;

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
