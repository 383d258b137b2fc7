#include <torch/utils.h>

#include <limits>

#include "face/base/catch.h"
#include "face/base/check.h"
#include "trainer/learn/kept_tensors.h"
#include "trainer/learn/losses.h"
#include "trainer/learn/training.h"

namespace facegate {

StatusOr<ValidationSums> Training::Validate(const Batch& batch) {
  FACEGATE_CHECK(group_ == nullptr);
  return CatchToStatus("validation", [&]() -> StatusOr<ValidationSums> {
    const torch::NoGradGuard no_grad;
    // Margins learn from what they see, which is not to be learned from.
    KeptTensors kept(learned_);
    SwapAverage();
    backbone_->eval();
    const auto count = static_cast<int64_t>(batch.labels.size());
    const torch::Tensor input = torch::from_blob(const_cast<float*>(batch.pixels.data()),
                                                 backbone_->InputShape(count), torch::kFloat);
    const torch::Tensor labels = torch::tensor(batch.labels, torch::kInt64).to(device());
    const HeadOutput output = head_->Compare(
        backbone_->forward(InMemoryOrder(input.to(device()), options_.channels_last)), labels,
        /*strength=*/1.0);
    torch::Tensor loss = ClassificationLoss(output.logits, labels, options_.loss);
    if (output.added_loss.defined()) loss = loss + output.added_loss;
    const torch::Tensor right = output.cosines.gather(1, labels.unsqueeze(1));
    // The right class itself is one of them. Without a number it is nowhere.
    const torch::Tensor place =
        (1 + (output.cosines > right).sum(1))
            .masked_fill(~torch::isfinite(right.squeeze(1)), std::numeric_limits<int64_t>::max());
    ValidationSums sums{.photos = count, .loss = loss.item<double>() * static_cast<double>(count)};
    for (size_t i = 0; i < sums.among.size(); ++i) {
      sums.among[i] = (place <= ValidationSums::kNearest[i]).sum().item<int64_t>();
    }
    SwapAverage();
    kept.Restore();
    return sums;
  });
}

}  // namespace facegate
