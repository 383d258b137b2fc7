#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <set>
#include <unordered_map>
#include <utility>
#include <vector>

namespace facegate {

// The k groups with the highest bounds so far. As long as k is small they are a sorted array, which
// is faster than what grows better.
class BestGroups {
 public:
  static constexpr size_t kMostInArray = 64;

  // `k` is at least 1.
  explicit BestGroups(size_t k) : k_(k) {}

  // A bound of the group is given. Returns BoundOf() as it is then.
  double Raise(uint64_t group, double bound);
  // The highest bound of a group that is among the best; -infinity for another.
  double BoundOf(uint64_t group) const;
  // The lowest of the bounds; -infinity while there are fewer than k groups.
  double kth() const { return kth_; }

 private:
  static constexpr double kNone = -std::numeric_limits<double>::infinity();
  struct Group {
    double bound = kNone;
    uint64_t id = 0;
  };

  double RaiseInArray(uint64_t group, double bound);
  double RaiseInTree(uint64_t group, double bound);

  size_t k_;
  double kth_ = kNone;
  std::vector<Group> array_;  // in ascending order of bounds; where k is small
  std::unordered_map<uint64_t, double> bounds_;
  std::set<std::pair<double, uint64_t>> by_bound_;
};

}  // namespace facegate
