#include "trainer/learn/losses.h"

#include <torch/nn/functional/distance.h>

namespace facegate {

using torch::Tensor;

namespace {

constexpr double kLeastVariance = 1e-6;  // of a student's channel, as a share of the teacher's
constexpr double kTiny = 1e-12;
constexpr double kLeastMissing = 1e-12;  // of a probability, in the focal loss

}  // namespace

Tensor ClassificationLoss(const Tensor& logits, const Tensor& labels, const LossOptions& options) {
  const Tensor log_shares = torch::log_softmax(logits, 1);
  const Tensor log_right = log_shares.gather(1, labels.unsqueeze(1)).squeeze(1);
  return ShareLoss(log_right, options.label_smoothing > 0.0 ? log_shares.mean(1) : Tensor(),
                   options);
}

Tensor ShareLoss(const Tensor& log_right, const Tensor& mean_log_share,
                 const LossOptions& options) {
  Tensor loss = -log_right;
  if (options.label_smoothing > 0.0) {
    loss = loss * (1.0 - options.label_smoothing) - mean_log_share * options.label_smoothing;
  }
  // The factor is of each sample, not of the mean of the batch.
  if (options.focal_gamma > 0.0) {
    // 1 - p, which rounds to 0 where p is near 1: below the floor a power's derivative is none,
    // where it would be infinite for an exponent below 1.
    const Tensor missing = torch::clamp_min(-torch::expm1(log_right), kLeastMissing);
    loss = loss * torch::pow(missing, options.focal_gamma);
  }
  return loss.mean();
}

Tensor DistillationLoss(const Tensor& student, const Tensor& teacher) {
  const auto cosine = torch::nn::functional::cosine_similarity(
      student, teacher.detach(),
      torch::nn::functional::CosineSimilarityFuncOptions().dim(1).eps(1e-12));
  return (1.0 - cosine).mean();
}

Tensor LikenessLoss(const Tensor& embeddings, const Tensor& labels) {
  const Tensor unit = embeddings / embeddings.norm(2, 1, /*keepdim=*/true).clamp_min(kTiny);
  const Tensor strangers =
      (labels.unsqueeze(0) != labels.unsqueeze(1)).to(embeddings.scalar_type());
  const Tensor likeness = torch::relu(torch::matmul(unit, unit.t())).square();
  return (likeness * strangers).sum() / strangers.sum().clamp_min(1.0);
}

Tensor MapLoss(const Tensor& student, const Tensor& teacher) {
  const auto centred = [](const Tensor& map) {
    return map - map.mean({0, 2, 3}, /*keepdim=*/true);
  };
  const Tensor own = centred(student);
  const Tensor other = centred(teacher.detach());
  const Tensor product = (own * other).sum({0, 2, 3});
  const Tensor others = other.square().sum({0, 2, 3});
  // A channel without variance is as one with very little: its gradient stays bounded.
  const Tensor owns = own.square().sum({0, 2, 3}) + kLeastVariance * others + kTiny;
  return (1.0 - product / torch::sqrt(owns * (others + kTiny))).mean();
}

}  // namespace facegate
