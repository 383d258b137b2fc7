#pragma once

#include <cstdint>
#include <string>

#include "face/base/status.h"
#include "face/weights/network_weights.h"

namespace facegate {

struct NetworkTrainingOptions {
  uint64_t seed = 1;
  int64_t epochs = 12;          // > 0
  int64_t batch = 64;           // views, > 1
  double learning_rate = 2e-3;  // of AdamW, after the warm-up; falls to 0 as a cosine
  double weight_decay = 1e-3;
  int threads = 1;  // of LibTorch, in the whole process; >= 1
};

// A small network of grey crops that learns. On the CPU; deterministic for a seed and a number of
// threads. Not thread-safe.
class NetworkTraining {
 public:
  virtual ~NetworkTraining() = default;

  // Views that fill no batch are left out of an epoch; which these are is drawn anew for each.
  virtual int64_t batches_per_epoch() const = 0;
  // Epochs that are behind.
  virtual int64_t epochs_done() const = 0;

  // The weights as they are now, rounded as in a file.
  virtual StatusOr<NetworkWeights> Weights() = 0;

  // Everything that the training needs to go on after the epochs that are behind; to the bit with
  // as many threads.
  virtual Status Save(const std::string& path) = 0;
  // kFailedPrecondition when the checkpoint is of other options or samples. After a failure the
  // training is of no more use.
  virtual Status Resume(const std::string& path) = 0;
};

}  // namespace facegate
