#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <utility>

#include "face/base/split_mix.h"

namespace facegate {

// A stream of random numbers that is named by a few numbers (a seed, what it is for, an epoch, a
// place) and follows from them alone: no state outlives a step, so that training goes on after a
// stop as if there had been none. Not thread-safe; not for secrets.
class RandomStream {
 public:
  template <typename... Names>
  explicit RandomStream(uint64_t seed, Names... names) : numbers_(seed) {
    // Each name is stirred in by one round of the generator.
    ((numbers_ = SplitMix64(numbers_.Next() ^ static_cast<uint64_t>(names))), ...);
  }

  uint64_t Next() { return numbers_.Next(); }
  // 0 to below 1, in steps of 2^-53.
  double Uniform() { return static_cast<double>(Next() >> 11) * 0x1p-53; }
  double Uniform(double low, double high) { return low + (high - low) * Uniform(); }
  // 0 to bound - 1, `bound` in 1..2^32.
  uint32_t Below(uint64_t bound) { return numbers_.Below(bound); }
  bool Chance(double probability) { return Uniform() < probability; }
  // Puts values into a random order, each order as likely as any other (Fisher and Yates).
  template <typename Value, size_t kExtent>
  void Shuffle(std::span<Value, kExtent> values) {
    for (size_t i = values.size(); i > 1; --i) std::swap(values[i - 1], values[Below(i)]);
  }
  // Mean 0, deviation 1 (Box and Muller, 1958).
  double Normal();

 private:
  SplitMix64 numbers_;
};

}  // namespace facegate
