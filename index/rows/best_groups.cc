#include "index/rows/best_groups.h"

#include <algorithm>

namespace facegate {

double BestGroups::Raise(uint64_t group, double bound) {
  return k_ <= kMostInArray ? RaiseInArray(group, bound) : RaiseInTree(group, bound);
}

double BestGroups::BoundOf(uint64_t group) const {
  if (k_ <= kMostInArray) {
    for (const Group& known : array_) {
      if (known.id == group) return known.bound;
    }
    return kNone;
  }
  const auto known = bounds_.find(group);
  return known == bounds_.end() ? kNone : known->second;
}

double BestGroups::RaiseInArray(uint64_t group, double bound) {
  size_t place = 0;  // of the group, or of the one that gives way to it
  while (place < array_.size() && array_[place].id != group) ++place;
  if (place < array_.size()) {
    if (bound <= array_[place].bound) return array_[place].bound;
  } else if (array_.size() < k_) {
    array_.insert(array_.begin(), Group());
    place = 0;
  } else {
    place = 0;
    if (bound <= array_.front().bound) return kNone;
  }
  for (; place + 1 < array_.size() && array_[place + 1].bound < bound; ++place) {
    array_[place] = array_[place + 1];
  }
  array_[place] = {.bound = bound, .id = group};
  if (array_.size() == k_) kth_ = array_.front().bound;
  return bound;
}

double BestGroups::RaiseInTree(uint64_t group, double bound) {
  const auto known = bounds_.find(group);
  if (known != bounds_.end()) {
    if (bound <= known->second) return known->second;
    by_bound_.erase({known->second, group});
    known->second = bound;
  } else {
    if (bounds_.size() == k_) {
      const auto worst = by_bound_.begin();
      if (bound <= worst->first) return kNone;
      bounds_.erase(worst->second);
      by_bound_.erase(worst);
    }
    bounds_.emplace(group, bound);
  }
  by_bound_.emplace(bound, group);
  if (bounds_.size() == k_) kth_ = by_bound_.begin()->first;
  return bound;
}

}  // namespace facegate
