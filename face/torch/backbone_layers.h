#pragma once

#include <torch/nn/module.h>
#include <torch/nn/modules/batchnorm.h>
#include <torch/nn/modules/conv.h>
#include <torch/nn/modules/linear.h>

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "face/torch/layer_fusion.h"

// The few layers that networks are made of; face/network/description.h says what each computes.
// Parameters are allocated but not set; values come from LoadWeights()
// (face/torch/tensor_conversion.h). Not thread-safe in training mode.
namespace facegate {

// The epsilon of the batch norms.
using network::kNormEpsilon;
inline constexpr double kNormMomentum = 0.1;

class Layer : public torch::nn::Module {
 public:
  virtual torch::Tensor forward(torch::Tensor input) = 0;
  // Adds itself to the stages that training runs as one operator; false where it fits into none.
  virtual bool AppendTo(FusionBuilder& builder) const;
  // The one tensor of a layer that is called as the layer is: the parameter is its parent's, and
  // the layer is no module of it. Undefined for others.
  virtual torch::Tensor OwnTensor() const { return {}; }
};

class Conv2d : public Layer {
 public:
  explicit Conv2d(const ConvShape& shape, bool with_bias = false);
  torch::Tensor forward(torch::Tensor input) override;
  bool AppendTo(FusionBuilder& builder) const override;

 private:
  const ConvShape shape_;
  torch::Tensor weight_;
  torch::Tensor bias_;  // undefined without one
};

class OblongConv2d : public Layer {
 public:
  explicit OblongConv2d(const network::OblongConvolution& layer);
  torch::Tensor forward(torch::Tensor input) override;

 private:
  const network::OblongConvolution layer_;
  torch::Tensor weight_;
  torch::Tensor bias_;  // undefined without one
};

class MaxPool : public Layer {
 public:
  explicit MaxPool(const network::Window& window) : window_(window) {}
  torch::Tensor forward(torch::Tensor input) override;

 private:
  const network::Window window_;
};

class AveragePool : public Layer {
 public:
  explicit AveragePool(const network::AveragePool& layer) : layer_(layer) {}
  torch::Tensor forward(torch::Tensor input) override;

 private:
  const network::AveragePool layer_;
};

class GlobalAverage : public Layer {
 public:
  torch::Tensor forward(torch::Tensor input) override;
};

class Pad : public Layer {
 public:
  explicit Pad(const network::Borders& borders) : borders_(borders) {}
  torch::Tensor forward(torch::Tensor input) override;

 private:
  const network::Borders borders_;
};

// What a batch norm does in training mode instead of LibTorch's own operator: normalises the input
// and updates the running statistics, with gradients.
using TrainingNorm = std::function<torch::Tensor(const torch::Tensor& input,
                                                 const NormTensors& tensors, double epsilon)>;

// Normalises the channels of N·C·H·W or of N·C; momentum 0.1. In training mode it uses the batch's
// statistics and updates the running ones.
class BatchNorm : public Layer {
 public:
  explicit BatchNorm(const network::BatchNorm& layer);
  explicit BatchNorm(int64_t channels) : BatchNorm(network::BatchNorm{.channels = channels}) {}
  torch::Tensor forward(torch::Tensor input) override;
  bool AppendTo(FusionBuilder& builder) const override;

  // Empty, as from the start: LibTorch's. Layers that run as one do not use it.
  void set_training_norm(TrainingNorm norm) { training_norm_ = std::move(norm); }

 private:
  NormTensors tensors() const;

  torch::Tensor weight_;  // `fixed_weight`: not trained; undefined where it is not affine
  torch::Tensor bias_;    // undefined where it is not affine
  torch::Tensor running_mean_;
  torch::Tensor running_var_;
  torch::Tensor num_batches_tracked_;
  const double epsilon_;
  TrainingNorm training_norm_;
};

class ChannelAffine : public Layer {
 public:
  explicit ChannelAffine(const network::ChannelAffine& layer);
  torch::Tensor forward(torch::Tensor input) override;

 private:
  torch::Tensor weight_;  // undefined without one
  torch::Tensor bias_;    // undefined without one
};

class PRelu : public Layer {
 public:
  explicit PRelu(int64_t channels);
  torch::Tensor forward(torch::Tensor input) override;
  bool AppendTo(FusionBuilder& builder) const override;

 private:
  torch::Tensor weight_;
};

class Relu : public Layer {
 public:
  torch::Tensor forward(torch::Tensor input) override;
};

class Clip : public Layer {
 public:
  explicit Clip(const network::Clip& layer) : layer_(layer) {}
  torch::Tensor forward(torch::Tensor input) override;

 private:
  const network::Clip layer_;
};

class Sigmoid : public Layer {
 public:
  torch::Tensor forward(torch::Tensor input) override;
};

class Linear : public Layer {
 public:
  Linear(int64_t in, int64_t out, bool with_bias);
  torch::Tensor forward(torch::Tensor input) override;

 private:
  torch::Tensor weight_;
  torch::Tensor bias_;  // undefined without one
};

class Dropout : public Layer {
 public:
  explicit Dropout(double probability) : probability_(probability) {}
  torch::Tensor forward(torch::Tensor input) override;

 private:
  const double probability_;
};

// N·C·H·W to N·(C·H·W), and N·T·C to N·(T·C).
class Flatten : public Layer {
 public:
  torch::Tensor forward(torch::Tensor input) override;
};

class Subsample : public Layer {
 public:
  explicit Subsample(int64_t stride) : stride_(stride) {}
  torch::Tensor forward(torch::Tensor input) override;

 private:
  const int64_t stride_;
};

class ChannelGate : public Layer {
 public:
  ChannelGate(int64_t channels, int64_t reduction);
  torch::Tensor forward(torch::Tensor input) override;

 private:
  std::shared_ptr<Conv2d> squeeze_;
  std::shared_ptr<Conv2d> excite_;
};

class PixelShuffle : public Layer {
 public:
  explicit PixelShuffle(int64_t factor) : factor_(factor) {}
  torch::Tensor forward(torch::Tensor input) override;

 private:
  const int64_t factor_;
};

// Neighbouring layers of a chain.
struct LayerSegment {
  torch::Tensor Pass(torch::Tensor input) const;

  std::vector<std::shared_ptr<Layer>> layers{};
};

// Runs such layers instead of a chain, and gives what they give.
using SegmentRun =
    std::function<torch::Tensor(const torch::Tensor& input, const LayerSegment& segment)>;

// Layers one after the other. The names become parts of the state dict's keys. In training mode,
// layers run as one operator where set_fusion() gave one; results differ in rounding alone.
class Chain : public Layer {
 public:
  Chain();
  ~Chain() override;

  Chain& Append(const std::string& name, std::shared_ptr<Layer> layer);
  // Named by its position.
  Chain& Append(std::shared_ptr<Layer> layer);
  // Marks the output of the layer that was appended last as a map that a teacher is compared by.
  Chain& MarkMap();
  torch::Tensor forward(torch::Tensor input) override;
  // The same, with the marked outputs (N·C·H·W, in the memory order that the layers gave them)
  // appended to `maps` in the order of the layers. Those of chains within are not among them.
  torch::Tensor ForwardWithMaps(torch::Tensor input, std::vector<torch::Tensor>& maps);
  bool AppendTo(FusionBuilder& builder) const override;

  // Sets how layers are fused, here and in the chains within; null, as from the start: not at all.
  void set_fusion(LayerFusion fusion);
  // Sets who runs the layers wherever gradients are wanted: each residual block and each graph as
  // one segment, and a few of the layers between them at a time, in the chains within too; a large
  // graph in parts, as Graph has it. Empty, as from the start: the chain itself. No layers are
  // fused then.
  void set_segment_run(const SegmentRun& run);

 private:
  // Neighbouring layers, by position; `run` is null for one that runs by itself.
  struct Part {
    std::unique_ptr<LayerRun> run;
    size_t begin = 0;
    size_t end = 0;
  };

  // `maps` null: none are wanted.
  torch::Tensor Pass(torch::Tensor input, std::vector<torch::Tensor>* maps);
  torch::Tensor PassInSegments(torch::Tensor input, std::vector<torch::Tensor>* maps);
  std::vector<Part> Split(bool at_maps) const;
  // The end of the segment that begins there.
  size_t SegmentEnd(size_t begin, bool at_maps) const;

  std::vector<std::shared_ptr<Layer>> layers_;
  std::set<size_t> maps_;  // positions
  // Made when they are first needed; no part with maps goes on over one.
  std::vector<Part> parts_;
  std::vector<Part> parts_with_maps_;
  LayerFusion fusion_ = nullptr;
  SegmentRun segment_run_;
};

// A chain whose input is added to its output.
class Residual : public Chain {
 public:
  // The input passes these, in their order, before it is added.
  Residual& AppendShortcut(const std::string& name, std::shared_ptr<Layer> layer);
  torch::Tensor forward(torch::Tensor input) override;
  bool AppendTo(FusionBuilder& builder) const override;

 private:
  std::vector<std::shared_ptr<Layer>> shortcut_;
};

// Calls its layers in any order, and joins what they give; see network::Graph.
class Graph : public Layer {
 public:
  // Where a layer's name has dots, it is registered in modules of the names before them.
  Graph& Append(const std::string& name, std::shared_ptr<Layer> layer);
  // The calls are those of a description whose layers were appended in their order.
  Graph& SetCalls(std::vector<network::Call> calls);
  torch::Tensor forward(torch::Tensor input) override;
  // Sets who runs the calls of a graph of many wherever gradients are wanted: those between two
  // places where a single value is alive as one segment, or a few such at a time. Empty, as from
  // the start: the graph itself, as always where it has few or no such place.
  void set_segment_run(const SegmentRun& run);
  bool runs_in_parts() const { return !parts_.empty(); }

 private:
  // Its calls from one to another as a graph of the same layers.
  std::shared_ptr<Graph> PartOf(size_t begin, size_t end) const;

  std::vector<std::shared_ptr<Layer>> layers_;
  std::vector<network::Call> calls_;
  std::vector<std::vector<size_t>> last_read_;  // by call: values that no later one reads
  SegmentRun segment_run_;
  std::vector<std::shared_ptr<Graph>> parts_;  // no modules of it: their layers are
};

}  // namespace facegate
