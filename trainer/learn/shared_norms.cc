#include "trainer/learn/shared_norms.h"

#include "trainer/parallel/shared_operators.h"

namespace facegate {

void ShareNorms(Backbone& backbone, ProcessGroup& group) {
  for (const auto& module : backbone.modules()) {
    auto* const norm = dynamic_cast<BatchNorm*>(module.get());
    if (norm == nullptr) continue;
    norm->set_training_norm(
        [&group](const torch::Tensor& input, const NormTensors& tensors, double epsilon) {
          return NormOverAll(input, tensors.gamma, tensors.beta, tensors.running_mean,
                             tensors.running_var, {.momentum = kNormMomentum, .epsilon = epsilon},
                             group);
        });
  }
}

}  // namespace facegate
