#pragma once

#include <functional>
#include <memory>

#include "face/base/status.h"
#include "trainer/landmarks/sample.h"
#include "trainer/landmarks/sample_split.h"
#include "trainer/learn/network_training.h"

namespace facegate {

// The landmark network that learns. Each epoch shows each face once with a coarse jitter and twice
// with a fine one, once of these as it is, and a view without a face, but for views that fill no
// batch; in the first half of the epochs half of the faces are mirrored. Loss: the smooth absolute
// error (Girshick 2015) of the points, and the cross entropy of the confidence. Prepares batches on
// a thread of its own.
class LandmarkTraining : public NetworkTraining {
 public:
  // `samples` and `split` outlive it. kInvalidArgument for options out of their range.
  static StatusOr<std::unique_ptr<LandmarkTraining>> Create(const NetworkTrainingOptions& options,
                                                            const LandmarkSamples& samples,
                                                            const SampleSplit& split);

  struct EpochReport {
    double point_error = 0.0;  // means over batches: of the loss of points
    double face_error = 0.0;   // and of confidences
  };
  // `on_batch` is called after each batch. kInternal where the loss is no number.
  virtual StatusOr<EpochReport> RunEpoch(const std::function<void()>& on_batch) = 0;
};

}  // namespace facegate
