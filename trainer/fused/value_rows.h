#pragma once

#include <cstdint>
#include <span>

#include "trainer/fused/pass_memory.h"

namespace facegate {

// Reads the values between stages: pixels are rows, counted over the whole batch.
struct ValueRows {
  PassMemory& memory;
  const float* input = nullptr;  // the run's
  std::span<const StageWeights> weights{};

  // Value i's rows: where they lie already, or computed into `scratch`. On the way forward, a value
  // that is kept is computed and kept.
  const float* Read(int value, int64_t first, int64_t rows, bool forward, float* scratch) const;
  // The same as Read(), but always written to `out`.
  void Copy(int value, int64_t first, int64_t rows, bool forward, float* out) const;
  // Value i's rows from its own stage, written to `out`.
  void Compute(int value, int64_t first, int64_t rows, float* out) const;

 private:
  // Null where the value is not kept.
  const float* Kept(int value, int64_t first, int64_t rows, bool forward) const;
};

}  // namespace facegate
