#pragma once

#include <torch/types.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "trainer/learn/checkpoint.h"
#include "trainer/learn/gradient_scaler.h"
#include "trainer/learn/lr_schedule.h"
#include "trainer/learn/optimizer.h"
#include "trainer/parallel/process_group.h"

namespace facegate {

// The half of a training step that comes after the loss, as all trainings make it: gradients are
// gathered over a group of batches, checked, clipped, and one update is made at the rate of the
// schedule. Not thread-safe.
class Descent {
 public:
  // `clip_norm` is the largest L2 norm of the gradients of an update; 0: they are not clipped.
  Descent(std::unique_ptr<Optimizer> optimizer, LrSchedule schedule, double clip_norm);
  ~Descent();

  // From here on losses are multiplied by a GradientScaler's scale, which is taken out of the
  // gradients again. `device` is where losses are.
  void ScaleLosses(const torch::Device& device);
  // From here on processes learn together: losses are those of the batch of all, and so become the
  // gradients, which travel as it is said. Every process calls Gather(), and gets the same. Null:
  // one process.
  void ShareWith(std::shared_ptr<ProcessGroup> group, Travel travel = Travel::kWhole) {
    group_ = std::move(group);
    travel_ = travel;
  }

  // Adds the gradients of `loss`, a scalar, to those gathered, and returns the L2 norm of their
  // sum. A result that is not finite says that the loss or a gradient is not: then nothing was
  // added. `change` may change the sum before it is checked.
  double Gather(const torch::Tensor& loss, const std::function<void()>& change = nullptr);
  // The two halves of it, for a card, whose numbers are read once a step. The first queues all work
  // and returns the norm where it will be. The second is told the norm, not finite where the loss
  // was not, and returns what Gather() does.
  torch::Tensor Backward(const torch::Tensor& loss);
  double Judge(double norm);
  // Forgets what Backward() has done where Judge() will not be called. Nothing is gathered then.
  void Forget() { optimizer_->ZeroGrad(); }
  // Makes an update by the mean of what was gathered; false where nothing was.
  bool Update();

  int64_t updates() const { return optimizer_->steps(); }
  int64_t gathered() const { return gathered_; }
  double learning_rate() const { return schedule_.At(updates()); }  // of the next update
  double gradient_norm() const { return gradient_norm_; }  // of the last update, before clipping
  std::optional<double> loss_scale() const;                // of the next batch
  const Optimizer& optimizer() const { return *optimizer_; }

  // Adds the optimiser's tensors to what a checkpoint holds, by names that begin with `prefix`.
  void AddState(const std::string& prefix, std::vector<NamedTensor>& state);
  // Goes on after so many updates, of which the last one's gradients had this norm.
  void Resume(int64_t updates, double gradient_norm);
  // Notes the scale of losses, where they have one, in the facts of a checkpoint, and takes it from
  // there.
  void SaveScale(CheckpointFacts& facts) const;
  Status ResumeScale(const CheckpointFacts& facts);

 private:
  // The gradients as they are, to be put back.
  class KeptGradients;

  double scale() const { return scaler_.has_value() ? scaler_->scale() : 1.0; }
  // Adds the gradients of `loss` to those gathered, which are kept until it is judged.
  void Differentiate(const torch::Tensor& loss);
  void DifferentiateTogether(const torch::Tensor& loss);
  double GradientNorm() const;
  // Tells the scaler what became of a batch, and puts gathered gradients on the scale of the next.
  void AdjustScale(bool finite);

  const std::unique_ptr<Optimizer> optimizer_;
  std::shared_ptr<ProcessGroup> group_;
  Travel travel_ = Travel::kWhole;
  const LrSchedule schedule_;
  const double clip_norm_;
  std::optional<GradientScaler> scaler_;
  torch::Tensor scale_;                    // its scale, where losses are
  std::unique_ptr<KeptGradients> before_;  // the gradients of a group before its latest batch
  int64_t gathered_ = 0;                   // batches whose gradients wait for the update
  double gathered_norm_ = 0.0;             // of their sum
  double gradient_norm_ = 0.0;
};

}  // namespace facegate
