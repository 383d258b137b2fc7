#pragma once

#include <torch/types.h>

#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/learn/training_options.h"

namespace facegate {

// A parameter and how it is treated.
struct TrainedParameter {
  std::string name;  // names its state in checkpoints
  torch::Tensor value;
  double weight_decay = 0.0;  // 0 for batch norms, biases and PReLU slopes
  double rate = 1.0;          // times the learning rate of the step
  // Other processes have the rest of the tensor; of one that is not a share all have the whole.
  bool is_share = false;
};

// Changes parameters by their gradients. All state is in tensors of known names and a count of
// steps, so that a checkpoint holds it to the bit; LibTorch's own optimisers do not promise that.
class Optimizer {
 public:
  // kInvalidArgument for an unknown kind or a number out of its range.
  static StatusOr<std::unique_ptr<Optimizer>> Create(const OptimizerOptions& options,
                                                     std::vector<TrainedParameter> parameters);
  virtual ~Optimizer() = default;

  // One update at the learning rate. Parameters without a gradient stay.
  void Step(double learning_rate);
  // Forgets all gradients: there are none, as before the first backward pass.
  void ZeroGrad();
  // The common L2 norm of all gradients; not finite where one of them is not.
  double GradientNorm() const;
  // The square of that of the shares alone, or of all others.
  double SquaredGradientNorm(bool of_shares) const;
  // The gradients of what is not a share.
  std::vector<torch::Tensor> WholeGradients() const;
  // The same as a tensor where the gradients are, in kDouble; nothing waits for it.
  torch::Tensor QueuedGradientNorm() const;
  torch::Tensor QueuedSquaredNorm(bool of_shares) const;
  void ScaleGradients(double factor);

  // Updates that were made; set when training is resumed.
  int64_t steps() const { return steps_; }
  void set_steps(int64_t steps) { steps_ = steps; }
  struct State {
    std::string name;  // "PARAMETER.momentum"
    torch::Tensor value;
  };
  // The state of all parameters; written into when training is resumed.
  std::vector<State> state();

  const std::vector<TrainedParameter>& parameters() const { return parameters_; }

 protected:
  Optimizer(const OptimizerOptions& options, std::vector<TrainedParameter> parameters,
            std::vector<std::string> slots);

  // Parameters that are treated alike, with their gradients and state: one on the CPU, where the
  // next one is better begun with what is in the caches; all on a card, which does a list at once.
  struct Group {
    std::vector<torch::Tensor> values{};
    std::vector<torch::Tensor> gradients{};
    std::vector<std::vector<torch::Tensor>> slots{};  // in the order given to the constructor
    double weight_decay = 0.0;
    double learning_rate = 0.0;
  };
  virtual void Update(Group& group) = 0;
  const OptimizerOptions& options() const { return options_; }

 private:
  std::vector<torch::Tensor> Gradients() const;
  std::vector<Group> Groups(double learning_rate) const;

  const OptimizerOptions options_;
  const std::vector<TrainedParameter> parameters_;
  const std::vector<std::string> slot_names_;
  std::vector<std::vector<torch::Tensor>> slots_;  // of each parameter
  int64_t steps_ = 0;
};

}  // namespace facegate
