#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>

#include "face/base/status.h"
#include "face/image/network_weights.h"
#include "trainer/landmarks/sample.h"
#include "trainer/landmarks/sample_split.h"

namespace facegate {

struct LandmarkTrainingOptions {
  uint64_t seed = 1;
  int64_t epochs = 30;          // > 0
  int64_t batch = 64;           // views, > 1
  double learning_rate = 2e-3;  // of AdamW, after the warm-up; falls to 0 as a cosine
  double weight_decay = 1e-3;
  int threads = 1;  // of LibTorch, in the whole process; >= 1
};

// The landmark network that learns. Each epoch shows each face once with a coarse jitter and twice
// with a fine one, once of these as it is, and a view without a face; in the first half of the
// epochs half of the faces are mirrored. Loss: the smooth absolute error (Girshick 2015) of the
// points, and the cross entropy of the confidence. Deterministic for a seed and a number of
// threads. On the CPU. Not thread-safe; prepares batches on a thread of its own.
class LandmarkTraining {
 public:
  // `samples` and `split` outlive it. kInvalidArgument for options out of their range.
  static StatusOr<std::unique_ptr<LandmarkTraining>> Create(const LandmarkTrainingOptions& options,
                                                            const LandmarkSamples& samples,
                                                            const SampleSplit& split);
  virtual ~LandmarkTraining() = default;

  virtual int64_t batches_per_epoch() const = 0;
  // Epochs that are behind.
  virtual int64_t epochs_done() const = 0;

  struct EpochReport {
    double point_error = 0.0;  // means over batches: of the loss of points
    double face_error = 0.0;   // and of confidences
  };
  // `on_batch` is called after each batch. kInternal where the loss is no number.
  virtual StatusOr<EpochReport> RunEpoch(const std::function<void()>& on_batch) = 0;

  // The weights as they are now, rounded as in a file.
  virtual StatusOr<LandmarkWeights> Weights() = 0;

  // Everything that the training needs to go on to the bit.
  virtual Status Save(const std::string& path) = 0;
  // kFailedPrecondition when the checkpoint is of other options or samples.
  virtual Status Resume(const std::string& path) = 0;
};

}  // namespace facegate
