#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <vector>

#include "face/model/backbone_layers.h"
#include "face/model/fused/stage.h"

// Neighbouring layers of a chain that training runs as one operator: convolutions, each with its
// batch norm, PReLU and addition, see FusedPass. Parameters stay those of the layers.
namespace facegate {

// The tensors of one stage.
struct FusedStage {
  Stage stage;
  torch::Tensor weight{};
  torch::Tensor gamma{};
  torch::Tensor beta{};
  torch::Tensor running_mean{};
  torch::Tensor running_var{};
  torch::Tensor num_batches_tracked{};
  torch::Tensor slope{};  // undefined where the stage is not activated
  const torch::nn::Module* norm = nullptr;
};

// Puts layers together to stages. A call that returns false leaves the builder of no use.
class FusionBuilder {
 public:
  bool AddConvolution(const ConvShape& shape, const torch::Tensor& weight);
  // Takes the tensors of the batch norm alone.
  bool AddNorm(FusedStage tensors);
  bool AddPRelu(const torch::Tensor& slope);
  // What comes until EndResidual() is added to what came before BeginResidual().
  bool BeginResidual();
  bool EndResidual();

  // Whether the layers so far make whole stages.
  bool complete() const;
  const std::vector<FusedStage>& stages() const { return stages_; }

 private:
  std::vector<FusedStage> stages_;
  bool has_norm_ = true;        // the last stage
  std::vector<int> residuals_;  // the values that open residuals began with
};

// Stages ready to run. Not thread-safe.
class FusedRun {
 public:
  explicit FusedRun(std::vector<FusedStage> stages);
  ~FusedRun();
  FusedRun(const FusedRun&) = delete;
  FusedRun& operator=(const FusedRun&) = delete;

  // Whether the input can take this way: floats on the CPU, no autocast, a size that fits; and
  // batch norms that learn.
  bool Accepts(const torch::Tensor& input) const;
  // The layers' output in training mode, with gradients; the running statistics are updated.
  torch::Tensor Forward(const torch::Tensor& input);

 private:
  struct Passes;

  const std::vector<FusedStage> stages_;
  const std::shared_ptr<Passes> passes_;  // shared with results that may still go back
};

}  // namespace facegate
