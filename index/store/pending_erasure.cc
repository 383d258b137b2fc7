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

std::vector<Family> PendingErasure::Begin(const ErasedKeys& erased) {
  std::vector<Family> unmarked;
  const MutexLock lock(mutex_);
  for (const auto& [family, ranges] : erased) {
    Work& work = work_[family];
    work.writes += 1;
    work.pending = true;
    if (!work.marked) unmarked.push_back(family);
  }
  return unmarked;
}

void PendingErasure::End(const ErasedKeys& erased, bool written) {
  const MutexLock lock(mutex_);
  for (const auto& [family, ranges] : erased) {
    Work& work = work_[family];
    work.writes -= 1;
    work.marked = work.marked || written;
    for (const KeyRange& range : ranges.all()) work.ranges.Add(range);
  }
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

ErasedKeys PendingErasure::Take() {
  ErasedKeys taken;
  const MutexLock lock(mutex_);
  for (auto& [family, work] : work_) {
    if (!work.ranges.empty()) taken.emplace(family, std::exchange(work.ranges, {}));
  }
  return taken;
}

void PendingErasure::GiveBack(const ErasedKeys& erased) {
  const MutexLock lock(mutex_);
  for (const auto& [family, ranges] : erased) {
    for (const KeyRange& range : ranges.all()) work_[family].ranges.Add(range);
  }
}

Status PendingErasure::Finish(
    const std::function<Status(const std::vector<Family>&)>& remove_marks) {
  const MutexLock lock(mutex_);
  std::vector<Family> done;
  for (const auto& [family, work] : work_) {
    if (work.pending && work.writes == 0 && work.ranges.empty()) done.push_back(family);
  }
  if (done.empty()) return OkStatus();
  FACEGATE_RETURN_IF_ERROR(remove_marks(done));
  for (const Family family : done) work_[family] = Work{};
  return OkStatus();
}

}  // namespace facegate
