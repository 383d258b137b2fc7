#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <map>
#include <set>
#include <string>

#include "index/store/key_codec.h"

namespace facegate {

// Keys of one family from `begin` to before `end` (empty: to the last).
struct KeyRange {
  std::string begin;
  std::string end;
  // NOLINTNEXTLINE(modernize-use-nullptr): clang-tidy 14 takes the 0 of a comparison for a pointer.
  auto operator<=>(const KeyRange&) const = default;
};

// The keys of everything that belongs to a collection or to an identity.
KeyRange RangeOf(uint64_t collection);
KeyRange RangeOf(const IdentityKey& identity);

// The keys of everything in a family.
inline KeyRange AllKeys() { return {}; }

// The smallest range with both in it.
KeyRange Around(const KeyRange& one, const KeyRange& other);

// Ranges without repetitions: when there are too many, one around them all.
class KeyRanges {
 public:
  static constexpr size_t kMost = 10'000;

  void Add(KeyRange range);
  // Takes what the others hold. Allocates nothing and cannot fail.
  void Add(KeyRanges&& others) noexcept;
  // Returns the ranges in the order of their beginnings.
  const std::set<KeyRange>& all() const { return ranges_; }
  bool empty() const { return ranges_.empty(); }

 private:
  void BecomeOneIfTooMany() noexcept;

  std::set<KeyRange> ranges_;
};

// The places in each family where something was deleted or overwritten.
using ErasedKeys = std::map<Family, KeyRanges>;

}  // namespace facegate
