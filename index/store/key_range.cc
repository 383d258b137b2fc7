#include "index/store/key_range.h"

#include <algorithm>
#include <utility>

namespace facegate {
namespace {

// An empty end is the greatest.
bool EndsBefore(const KeyRange& one, const KeyRange& other) {
  return !one.end.empty() && (other.end.empty() || one.end < other.end);
}

}  // namespace

KeyRange RangeOf(uint64_t collection) {
  return {.begin = EncodeCollectionKey(collection), .end = EncodeCollectionKey(collection + 1)};
}

KeyRange RangeOf(const IdentityKey& identity) {
  const IdentityKey next{.collection = identity.collection, .identity = identity.identity + 1};
  return {.begin = EncodeIdentityKey(identity), .end = EncodeIdentityKey(next)};
}

KeyRange Around(const KeyRange& one, const KeyRange& other) {
  return {.begin = std::min(one.begin, other.begin),
          .end = EndsBefore(one, other) ? other.end : one.end};
}

void KeyRanges::Add(KeyRange range) {
  ranges_.insert(std::move(range));
  BecomeOneIfTooMany();
}

void KeyRanges::Add(KeyRanges&& others) noexcept {
  ranges_.merge(others.ranges_);
  BecomeOneIfTooMany();
}

// In the place of the first, which begins before all others.
void KeyRanges::BecomeOneIfTooMany() noexcept {
  if (ranges_.size() <= kMost) return;
  auto around = ranges_.extract(ranges_.begin());
  while (!ranges_.empty()) {
    auto one = ranges_.extract(ranges_.begin());
    if (EndsBefore(around.value(), one.value())) around.value().end.swap(one.value().end);
  }
  ranges_.insert(std::move(around));
}

}  // namespace facegate
