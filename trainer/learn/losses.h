#pragma once

#include <torch/types.h>

#include "trainer/learn/head_options.h"

namespace facegate {

// The mean over the batch. `logits` N x C, `labels` N, int64.
torch::Tensor ClassificationLoss(const torch::Tensor& logits, const torch::Tensor& labels,
                                 const LossOptions& options);

// The same of what a softmax says: `log_right` N, the logarithm of the right class's share, and
// `mean_log_share` N, the mean of those of all classes, which label smoothing alone needs.
torch::Tensor ShareLoss(const torch::Tensor& log_right, const torch::Tensor& mean_log_share,
                        const LossOptions& options);

// Measures what a student's embeddings lack of the teacher's: the mean of 1 - cosine. Both N x E,
// not normalised; no gradient goes to the teacher.
torch::Tensor DistillationLoss(const torch::Tensor& student, const torch::Tensor& teacher);

// Measures how much strangers with the same flaw are alike: the mean of max(0, cosine)^2 over the
// pairs of two labels. `embeddings` N x E, not normalised; `labels` N, int64. 0 where there is no
// such pair.
torch::Tensor LikenessLoss(const torch::Tensor& embeddings, const torch::Tensor& labels);

// Measures what a student's map lacks of the teacher's (hints, as in FitNets of Romero et al.
// 2015): 1 - the correlation of a channel over all places of the batch, the mean over channels. 0
// where channels are equal up to their scale and offset, which the next layer makes up for; 1 where
// they have nothing in common. Both N x C x H x W; no gradient goes to the teacher.
torch::Tensor MapLoss(const torch::Tensor& student, const torch::Tensor& teacher);

}  // namespace facegate
