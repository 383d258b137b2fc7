#include "trainer/learn/split_softmax.h"

#include <limits>

#include "trainer/learn/losses.h"
#include "trainer/parallel/shared_operators.h"

namespace facegate {
namespace {

using torch::Tensor;

constexpr double kNone = -std::numeric_limits<double>::infinity();

// The columns of other classes than the right one; what is in its place is `filler`.
Tensor Others(const HeadOutput& output, const Tensor& numbers, double filler) {
  return numbers.narrow(1, 0, output.elsewhere.size(1)).masked_fill(output.elsewhere, filler);
}

Tensor Right(const HeadOutput& output, const Tensor& numbers) {
  return numbers.select(1, output.elsewhere.size(1));
}

// The largest of other classes, over all processes; -inf where there is none.
Tensor LargestOther(const HeadOutput& output, const Tensor& numbers, ProcessGroup& group) {
  const Tensor none = torch::full({numbers.size(0), 1}, kNone, numbers.options());
  return LargestOfAll(std::get<0>(torch::cat({Others(output, numbers, kNone), none}, 1).max(1)),
                      group);
}

}  // namespace

Tensor SplitClassificationLoss(const HeadOutput& output, int64_t classes,
                               const LossOptions& options, ProcessGroup& group) {
  const Tensor right = Right(output, output.logits);
  // The largest logit is taken out of all, so that no exponential is too large.
  const Tensor top =
      torch::maximum(LargestOther(output, output.logits.detach(), group), right.detach());
  const Tensor others = torch::exp(Others(output, output.logits, kNone) - top.unsqueeze(1)).sum(1);
  const Tensor log_all = top + torch::log(SumOfAll(others, group) + torch::exp(right - top));
  Tensor mean;
  if (options.label_smoothing > 0.0) {
    const Tensor sum = SumOfAll(Others(output, output.logits, 0.0).sum(1), group) + right;
    const int64_t compared = output.classes.defined() ? output.classes.numel() : classes;
    mean = sum / static_cast<double>(compared) - log_all;
  }
  return ShareLoss(right - log_all, mean, options);
}

Tensor SplitAccuracy(const HeadOutput& output, ProcessGroup& group) {
  const Tensor nearest = LargestOther(output, output.cosines, group);
  return (Right(output, output.cosines) >= nearest).to(torch::kFloat).mean();
}

}  // namespace facegate
