#pragma once

#include <torch/types.h>

#include <memory>
#include <vector>

#include "face/base/status.h"
#include "face/torch/backbone.h"

namespace facegate {

// A backbone made ready for inference: traced into a graph of constants, batch norms folded into
// the convolutions before them (one before a padded convolution stays: folding it would change the
// border), dropout removed, on the CPU converted to oneDNN's operators and layouts where LibTorch
// does that rightly (onednn_fit.h). The graph runs on the plain interpreter: nothing is profiled,
// specialised or compiled later, so latency settles once each batch size was seen. The one place
// that knows TorchScript, and the differences between LibTorch's versions. Immutable; Run() may be
// called from several threads at once, each call then uses its own OpenMP threads. Several calls of
// one thread each, side by side, take less time than one call of several threads with all their
// rows: the threads of one call wait for each other after each layer.
class FrozenNetwork {
 public:
  // `backbone` is on the CPU with its weights set. It is used up: put into evaluation mode, its
  // parameters taken from the gradient, moved to `device`; it may go afterwards. Compares the
  // result with the backbone's own on generated input: kInternal when they differ (where rounding
  // has much effect, when it is more than four times as far from the result in double precision as
  // the backbone's), kInvalidArgument when the network gives values that are not finite.
  // `with_maps`: RunAll() gives the maps of Chain::ForwardWithMaps(), too.
  static StatusOr<std::unique_ptr<FrozenNetwork>> Create(Backbone& backbone, torch::Device device,
                                                         bool with_maps = false);
  ~FrozenNetwork();
  FrozenNetwork(const FrozenNetwork&) = delete;
  FrozenNetwork& operator=(const FrozenNetwork&) = delete;

  // N·C·H·W floats on the CPU to N·E floats on the CPU, any N from 1 on, with so many OpenMP
  // threads where it runs on the CPU. kInvalidArgument for less than one thread, kInternal when the
  // library fails.
  StatusOr<torch::Tensor> Run(const torch::Tensor& input, int threads) const;
  // The same, and after it the maps where it was created with them: N·C·H·W each, contiguous.
  StatusOr<std::vector<torch::Tensor>> RunAll(const torch::Tensor& input, int threads) const;

 private:
  struct Program;
  explicit FrozenNetwork(std::unique_ptr<Program> program);
  // OK when one row of the example, and all of them, give what is expected. `exact` is empty, or
  // what the backbone gives in double precision.
  Status Prove(const torch::Tensor& example, const std::vector<torch::Tensor>& expected,
               const std::vector<torch::Tensor>& exact) const;

  const std::unique_ptr<const Program> program_;
};

}  // namespace facegate
