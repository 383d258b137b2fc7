#pragma once

#include <cstdint>
#include <memory>
#include <span>

#include "face/base/clock.h"
#include "index/local/collection.h"

namespace facegate {

// Gives back the memory of templates that were removed (Collection::MoveRows): soon where they are
// many, and within little more than ten minutes where they are few, since their vectors must not
// stay. Used by one thread.
class RowMover {
 public:
  // `clock` must outlive it.
  explicit RowMover(const Clock& clock) : clock_(clock), marked_(clock.Now()) {}

  // Some of the work, a second of it for each collection at most; to be called every few seconds.
  void Move(std::span<const std::shared_ptr<Collection>> collections);

 private:
  const Clock& clock_;
  // What was removed until the mark is to be moved now.
  Clock::TimePoint marked_;
  uint64_t removed_until_ = 0;
};

}  // namespace facegate
