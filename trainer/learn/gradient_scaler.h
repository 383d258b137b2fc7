#pragma once

#include <cstdint>

#include "face/base/status.h"
#include "trainer/learn/checkpoint_facts.h"

namespace facegate {

// Chooses what losses are multiplied by so that gradients in FP16 do not vanish: as much as they
// bear (Micikevicius et al., "Mixed Precision Training", 2018). It halves where a gradient is not
// finite, and doubles after so many good batches in a row. Numbers alone; not thread-safe.
class GradientScaler {
 public:
  static constexpr double kFirst = 65536.0;
  static constexpr double kLeast = 1.0;  // below it the loss, not its scale, is to blame
  static constexpr double kMost = 16777216.0;
  static constexpr int64_t kGoodBeforeDoubling = 2000;

  // A power of two from kLeast to kMost: multiplying by it and dividing again changes nothing.
  double scale() const { return scale_; }
  // Tells what became of a batch's gradients.
  void After(bool finite);

  // Notes its state in a checkpoint's facts, and takes it from there; without it, it begins anew.
  void Save(CheckpointFacts& facts) const;
  // kInvalidArgument for a scale or a count that it cannot have.
  Status Resume(const CheckpointFacts& facts);

 private:
  double scale_ = kFirst;
  int64_t good_ = 0;  // batches since the scale changed
};

}  // namespace facegate
