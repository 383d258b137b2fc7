#pragma once

#include <torch/nn/module.h>

#include <memory>
#include <vector>

#include "face/torch/backbone_layers.h"
#include "face/torch/layer_fusion.h"
#include "trainer/fused/stage.h"

// Neighbouring layers of a chain that training runs as one operator: convolutions, each with its
// batch norm, PReLU and addition, see FusedPass. Parameters stay those of the layers.
namespace facegate {

// A chain fuses its layers by this: backbone.set_fusion(BeginStages).
std::unique_ptr<FusionBuilder> BeginStages();

// The tensors of one stage.
struct FusedStage {
  Stage stage;
  torch::Tensor weight{};
  NormTensors norm{};
  torch::Tensor slope{};  // undefined where the stage is not activated
};

// Puts layers together to stages.
class StageBuilder : public FusionBuilder {
 public:
  bool AddConvolution(const ConvShape& shape, const torch::Tensor& weight) override;
  bool AddNorm(NormTensors tensors) override;
  bool AddPRelu(const torch::Tensor& slope) override;
  bool BeginResidual() override;
  bool EndResidual() override;
  // True when the layers so far make whole stages.
  bool complete() const override;
  std::unique_ptr<LayerRun> MakeRun() const override;

 private:
  std::vector<FusedStage> stages_;
  bool has_norm_ = true;        // the last stage
  std::vector<int> residuals_;  // the values that open residuals began with
};

// Stages ready to run. Not thread-safe.
class FusedRun : public LayerRun {
 public:
  explicit FusedRun(std::vector<FusedStage> stages);
  ~FusedRun() override;
  FusedRun(const FusedRun&) = delete;
  FusedRun& operator=(const FusedRun&) = delete;

  // True when the input can take this way: floats on the CPU, no autocast, a size that fits; and
  // batch norms that learn.
  bool Accepts(const torch::Tensor& input) const override;
  torch::Tensor Forward(const torch::Tensor& input) override;

 private:
  struct Passes;

  const std::vector<FusedStage> stages_;
  const std::shared_ptr<Passes> passes_;  // shared with results that may still go back
};

}  // namespace facegate
