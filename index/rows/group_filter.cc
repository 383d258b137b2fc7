#include "index/rows/group_filter.h"

#include <algorithm>
#include <utility>

namespace facegate {
namespace {

constexpr uint64_t kBitsOfWord = 64;
constexpr uint64_t kMostBits = uint64_t{1} << 29;  // 64 MiB

}  // namespace

GroupFilter::GroupFilter(std::vector<uint64_t> groups) : size_(groups.size()) {
  if (groups.empty()) return;
  first_ = groups.front();
  if (groups.back() - first_ >= kMostBits) {
    groups_ = std::move(groups);
    return;
  }
  count_ = groups.back() - first_ + 1;
  bits_.resize((count_ + kBitsOfWord - 1) / kBitsOfWord);
  for (const uint64_t group : groups) {
    bits_[(group - first_) / kBitsOfWord] |= uint64_t{1} << (group - first_) % kBitsOfWord;
  }
}

bool GroupFilter::Contains(uint64_t group) const {
  if (count_ == 0) return std::binary_search(groups_.begin(), groups_.end(), group);
  const uint64_t place = group - first_;  // huge for one below the first
  return place < count_ && ((bits_[place / kBitsOfWord] >> place % kBitsOfWord) & 1) != 0;
}

}  // namespace facegate
