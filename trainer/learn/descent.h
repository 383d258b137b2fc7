#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include "trainer/learn/checkpoint.h"
#include "trainer/learn/lr_schedule.h"
#include "trainer/learn/optimizer.h"

namespace facegate {

// The half of a training step that comes after the loss, as all trainings make it: gradients are
// gathered over a group of batches, checked, clipped, and one update is made at the rate of the
// schedule. Not thread-safe.
class Descent {
 public:
  // `clip_norm` is the largest L2 norm of the gradients of an update; 0: they are not clipped.
  Descent(std::unique_ptr<Optimizer> optimizer, LrSchedule schedule, double clip_norm);

  // Adds the gradients of `loss`, a scalar, to those gathered, and returns the L2 norm of their
  // sum. A result that is not finite says that the loss or a gradient is not: then nothing was
  // added. `change` may change the sum before it is checked.
  double Gather(const torch::Tensor& loss, const std::function<void()>& change = nullptr);
  // Makes an update by the mean of what was gathered; false where nothing was.
  bool Update();

  int64_t updates() const { return optimizer_->steps(); }
  int64_t gathered() const { return gathered_; }
  double learning_rate() const { return schedule_.At(updates()); }  // of the next update
  double gradient_norm() const { return gradient_norm_; }  // of the last update, before clipping

  // Adds the optimiser's tensors to what a checkpoint holds, by names that begin with `prefix`.
  void AddState(const std::string& prefix, std::vector<NamedTensor>& state);
  // Goes on after so many updates, of which the last one's gradients had this norm.
  void Resume(int64_t updates, double gradient_norm);

 private:
  const std::unique_ptr<Optimizer> optimizer_;
  const LrSchedule schedule_;
  const double clip_norm_;
  int64_t gathered_ = 0;        // batches whose gradients wait for the update
  double gathered_norm_ = 0.0;  // of their sum
  double gradient_norm_ = 0.0;
};

}  // namespace facegate
