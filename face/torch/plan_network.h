#pragma once

#include <torch/types.h>

#include <memory>
#include <optional>
#include <vector>

#include "face/base/status.h"
#include "face/network/inference_plan.h"

namespace facegate {

// What is done to the output of a step, as tensors; undefined where there is nothing to do. See
// network::Finish and network::Scaled.
struct FinishTensors {
  torch::Tensor bias;
  torch::Tensor slope;
  torch::Tensor scale;
  torch::Tensor shift;
};

// The operations between LibTorch's own; on a card they are kernels of ours. Maps are N·C·H·W in
// channels-last memory order, or N·C.
class MapKernels {
 public:
  virtual ~MapKernels() = default;
  // Changes `map` by bias, `added` (undefined: none) and slope, in this order, and returns the
  // second output, undefined where there is no scale.
  virtual torch::Tensor Finish(torch::Tensor& map, const torch::Tensor& added,
                               const FinishTensors& finish) const = 0;
  // A convolution with one filter for each channel; `weight` is kernel·kernel·C, in fp32. The
  // finish comes after it, without an added map and a second output.
  virtual torch::Tensor Depthwise(const torch::Tensor& input, const network::ConvShape& shape,
                                  const torch::Tensor& weight,
                                  const FinishTensors& finish) const = 0;
};

// The kernels made of LibTorch's operations, for any device.
const MapKernels& PlainMapKernels();

// A plan whose numbers are on a device, in one type. Immutable; Forward() may be called from
// several threads.
class PlanNetwork {
 public:
  // The pictures' channels are padded with zeros to this many, which matrix units like.
  static constexpr int64_t kInputChannels = 8;

  // `type` is kFloat, kHalf or kBFloat16; `kernels` must outlive the network.
  PlanNetwork(const network::InferencePlan& plan, torch::Device device, torch::ScalarType type,
              const MapKernels& kernels);
  ~PlanNetwork();
  PlanNetwork(const PlanNetwork&) = delete;
  PlanNetwork& operator=(const PlanNetwork&) = delete;

  // N·8·H·W of the type, in channels-last order, to N·E of the type. LibTorch's exceptions
  // pass through.
  torch::Tensor Forward(const torch::Tensor& input) const;

 private:
  struct Prepared;
  const MapKernels& kernels_;
  const size_t values_;
  const network::ValueId result_;
  const int64_t taken_channels_;  // of the input's; 0: all, and the padding
  std::vector<Prepared> steps_;
};

}  // namespace facegate
