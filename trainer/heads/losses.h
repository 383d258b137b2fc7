#pragma once

#include <torch/types.h>

namespace facegate {

struct LossOptions {
  // Focal loss (Lin et al., 2017) of each sample: (1 - p)^gamma times its cross entropy; 0: cross
  // entropy.
  double focal_gamma = 0.0;
  double label_smoothing = 0.0;  // 0..1: the share of the target that all classes have alike
};

// The mean over the batch. `logits` N x C, `labels` N, int64.
torch::Tensor ClassificationLoss(const torch::Tensor& logits, const torch::Tensor& labels,
                                 const LossOptions& options);

// What a student's embeddings lack of the teacher's: the mean of 1 - cosine. Both N x E, not
// normalised; no gradient goes to the teacher.
torch::Tensor DistillationLoss(const torch::Tensor& student, const torch::Tensor& teacher);

}  // namespace facegate
