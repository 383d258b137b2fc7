#include "index/store/pending_erasure.h"

#include <algorithm>
#include <utility>

namespace facegate {

void PendingErasure::Opened(Family family) {
  const MutexLock lock(mutex_);
  Work& work = work_[family];
  work.pending = work.marked = true;
  work.ranges.Add(AllKeys());
}

PendingErasure::Writing::Writing(PendingErasure& erasure, ErasedKeys erased)
    : erasure_(erasure), erased_(std::move(erased)) {
  unmarked_.reserve(erased_.size());
  const MutexLock lock(erasure_.mutex_);
  // Nothing counts before all that is needed is there.
  for (const auto& [family, ranges] : erased_) erasure_.work_.try_emplace(family);
  for (const auto& [family, ranges] : erased_) {
    Work& work = erasure_.work_[family];
    work.writes += 1;
    work.pending = true;
    if (!work.marked) unmarked_.push_back(family);
  }
}

PendingErasure::Writing::~Writing() {
  const MutexLock lock(erasure_.mutex_);
  for (auto& [family, ranges] : erased_) {
    Work& work = erasure_.work_[family];
    work.writes -= 1;
    work.marked = work.marked || written_;
    work.ranges.Add(std::move(ranges));
  }
}

PendingErasure::Taken::Taken(PendingErasure& erasure) : erasure_(erasure) {
  const MutexLock lock(erasure_.mutex_);
  // Nothing is taken before there is a place for all of it.
  for (const auto& [family, work] : erasure_.work_) {
    if (!work.ranges.empty()) keys_.try_emplace(family);
  }
  for (auto& [family, ranges] : keys_) std::swap(ranges, erasure_.work_[family].ranges);
}

PendingErasure::Taken::~Taken() {
  const MutexLock lock(erasure_.mutex_);
  for (auto& [family, ranges] : keys_) erasure_.work_[family].ranges.Add(std::move(ranges));
}

Status PendingErasure::Taken::Finish(
    const std::function<Status(const std::vector<Family>&)>& remove_marks) {
  keys_.clear();
  const MutexLock lock(erasure_.mutex_);
  std::vector<Family> done;
  for (const auto& [family, work] : erasure_.work_) {
    if (work.pending && work.writes == 0 && work.ranges.empty()) done.push_back(family);
  }
  if (done.empty()) return OkStatus();
  FACEGATE_RETURN_IF_ERROR(remove_marks(done));
  for (const Family family : done) erasure_.work_[family] = Work{};
  return OkStatus();
}

bool PendingErasure::empty() const {
  const MutexLock lock(mutex_);
  return std::none_of(work_.begin(), work_.end(),
                      [](const auto& entry) { return entry.second.pending; });
}

ErasedKeys PendingErasure::waiting() const {
  ErasedKeys waiting;
  const MutexLock lock(mutex_);
  for (const auto& [family, work] : work_) {
    if (!work.ranges.empty()) waiting.emplace(family, work.ranges);
  }
  return waiting;
}

}  // namespace facegate
