#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/image/network_weights.h"
#include "trainer/quality/quality_samples.h"

namespace facegate {

struct QualityTrainingOptions {
  uint64_t seed = 1;
  int64_t epochs = 12;          // > 0
  int64_t batch = 64;           // views, > 1
  double learning_rate = 2e-3;  // of AdamW, after the warm-up; falls to 0 as a cosine
  double weight_decay = 1e-3;
  int threads = 1;  // of LibTorch, in the whole process; >= 1
};

// The quality network that learns. Each epoch shows each view once, mirrored or not. Loss: the
// smooth absolute error (Girshick 2015) of the expected score, and the cross entropies of what is
// visible. Deterministic for a seed and a number of threads. On the CPU. Not thread-safe.
class QualityTraining {
 public:
  // `samples` outlive it; `which` are the indices of those to learn from.
  // kInvalidArgument for options out of their range.
  static StatusOr<std::unique_ptr<QualityTraining>> Create(const QualityTrainingOptions& options,
                                                           const QualitySamples& samples,
                                                           std::vector<size_t> which);
  virtual ~QualityTraining() = default;

  virtual int64_t batches_per_epoch() const = 0;
  // Epochs that are behind.
  virtual int64_t epochs_done() const = 0;

  // The mean loss over batches; `on_batch` is called after each. kInternal where it is no number.
  virtual StatusOr<double> RunEpoch(const std::function<void()>& on_batch) = 0;

  // The weights as they are now, rounded as in a file.
  virtual StatusOr<QualityWeights> Weights() = 0;

  // Everything that the training needs to go on to the bit.
  virtual Status Save(const std::string& path) = 0;
  // kFailedPrecondition when the checkpoint is of other options or samples.
  virtual Status Resume(const std::string& path) = 0;
};

}  // namespace facegate
