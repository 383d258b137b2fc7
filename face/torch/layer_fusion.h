#pragma once

#include <torch/nn/module.h>
#include <torch/types.h>

#include <memory>

#include "face/network/description.h"

// The one hook by which training runs neighbouring layers of a chain as one operator
// (trainer/fused). A chain offers its layers to a builder, and calls the run that the builder makes
// of them instead of the layers.
namespace facegate {

using network::ConvShape;

// The tensors of a batch norm, and the norm itself, which knows whether it learns.
struct NormTensors {
  torch::Tensor gamma;
  torch::Tensor beta;
  torch::Tensor running_mean;
  torch::Tensor running_var;
  torch::Tensor num_batches_tracked;
  const torch::nn::Module* norm = nullptr;
};

// Layers that run as one. Not thread-safe.
class LayerRun {
 public:
  virtual ~LayerRun() = default;
  // True when the input can take this way; the layers run one by one otherwise.
  virtual bool Accepts(const torch::Tensor& input) const = 0;
  // The layers' output in training mode, with gradients; running statistics are updated.
  virtual torch::Tensor Forward(const torch::Tensor& input) = 0;
};

// Takes layers in their order. A call that returns false leaves the builder of no use.
class FusionBuilder {
 public:
  virtual ~FusionBuilder() = default;
  virtual bool AddConvolution(const ConvShape& shape, const torch::Tensor& weight) = 0;
  virtual bool AddNorm(NormTensors tensors) = 0;
  virtual bool AddPRelu(const torch::Tensor& slope) = 0;
  // The layers until EndResidual() are added to what came before BeginResidual().
  virtual bool BeginResidual() = 0;
  virtual bool EndResidual() = 0;
  // True when the layers so far can run as one.
  virtual bool complete() const = 0;
  // The run of these layers; to be called when they are complete.
  virtual std::unique_ptr<LayerRun> MakeRun() const = 0;
};

// Makes an empty builder.
using LayerFusion = std::unique_ptr<FusionBuilder> (*)();

}  // namespace facegate
