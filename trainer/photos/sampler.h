#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <mutex>
#include <vector>

#include "trainer/photos/dataset.h"

namespace facegate {

struct SamplerOptions {
  size_t batch = 64;  // >= 1
  uint64_t seed = 1;
  // Every identity as often as any other, instead of every photo once an epoch; photos without a
  // label are then left out, and some must have one.
  bool balanced = false;
};

// Says which photos each step sees: a function of the seed and the step alone. An epoch is a
// permutation of all photos; what is left after its last whole batch is left out (all of them,
// where there are fewer than a batch: then photos repeat). Thread-safe.
class Sampler {
 public:
  // `dataset` must outlive it and not be empty.
  Sampler(const Dataset& dataset, const SamplerOptions& options);

  size_t steps_per_epoch() const { return steps_per_epoch_; }
  size_t EpochOf(size_t step) const { return step / steps_per_epoch_; }
  std::vector<size_t> BatchAt(size_t step) const;
  // Another photo in the place of one that cannot be read: the `attempt`-th for that place.
  size_t ReplacementAt(size_t step, size_t place, size_t attempt) const;

 private:
  using Order = std::shared_ptr<const std::vector<uint32_t>>;
  Order OrderOf(size_t epoch) const;
  std::vector<size_t> BalancedBatch(size_t step) const;

  const SamplerOptions options_;
  const size_t size_;
  const size_t steps_per_epoch_;
  std::vector<std::vector<uint32_t>> by_class_;  // balanced alone

  mutable std::mutex mutex_;
  // The last epoch that was asked for: the order of another one is computed in milliseconds.
  mutable size_t cached_epoch_ = 0;
  mutable Order cached_;
};

}  // namespace facegate
