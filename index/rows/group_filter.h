#pragma once

#include <cstddef>
#include <cstdint>
#include <vector>

namespace facegate {

// The groups whose rows a search looks for. Immutable.
class GroupFilter {
 public:
  // `groups` is in ascending order.
  explicit GroupFilter(std::vector<uint64_t> groups);

  bool Contains(uint64_t group) const;
  size_t size() const { return size_; }
  // The memory that it takes: no more than the groups themselves do, or little.
  size_t bytes() const;

 private:
  // A bit for each number from the first group to the last; where they lie too far apart for that,
  // the groups themselves.
  std::vector<uint64_t> bits_;
  std::vector<uint64_t> groups_;
  uint64_t first_ = 0;
  uint64_t count_ = 0;  // of numbers that have a bit
  size_t size_ = 0;
};

}  // namespace facegate
