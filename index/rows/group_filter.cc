#include "index/rows/group_filter.h"

#include <algorithm>
#include <utility>

namespace facegate {
namespace {

constexpr uint64_t kBitsOfWord = 64;
constexpr uint64_t kFewBits = uint64_t{1} << 20;  // 128 KiB

}  // namespace

GroupFilter::GroupFilter(std::vector<uint64_t> groups) : size_(groups.size()) {
  if (groups.empty()) return;
  first_ = groups.front();
  if (groups.back() - first_ >= std::max(kFewBits, groups.size() * kBitsOfWord)) {
    groups_ = std::move(groups);
    return;
  }
  count_ = groups.back() - first_ + 1;
  bits_.resize((count_ + kBitsOfWord - 1) / kBitsOfWord);
  for (const uint64_t group : groups) {
    bits_[(group - first_) / kBitsOfWord] |= uint64_t{1} << (group - first_) % kBitsOfWord;
  }
}

size_t GroupFilter::bytes() const { return (bits_.size() + groups_.size()) * sizeof(uint64_t); }

bool GroupFilter::Contains(uint64_t group) const {
  if (count_ == 0) return std::binary_search(groups_.begin(), groups_.end(), group);
  const uint64_t place = group - first_;  // huge for one below the first
  return place < count_ && ((bits_[place / kBitsOfWord] >> place % kBitsOfWord) & 1) != 0;
}

}  // namespace facegate
