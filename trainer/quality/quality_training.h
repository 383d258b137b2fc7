#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <vector>

#include "face/base/status.h"
#include "trainer/learn/network_training.h"
#include "trainer/quality/quality_samples.h"

namespace facegate {

// The quality network that learns. Each epoch shows each view once, mirrored or not, but for those
// that fill no batch. Loss: the smooth absolute error (Girshick 2015) of the expected score, and
// the cross entropies of what is visible.
class QualityTraining : public NetworkTraining {
 public:
  // `samples` outlive it; `which` are the indices of those to learn from.
  // kInvalidArgument for options out of their range.
  static StatusOr<std::unique_ptr<QualityTraining>> Create(const NetworkTrainingOptions& options,
                                                           const QualitySamples& samples,
                                                           std::vector<size_t> which);

  // The mean loss over batches; `on_batch` is called after each. kInternal where it is no number.
  virtual StatusOr<double> RunEpoch(const std::function<void()>& on_batch) = 0;
};

}  // namespace facegate
