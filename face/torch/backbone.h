#pragma once

#include <cstdint>
#include <memory>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/torch/backbone_layers.h"

namespace facegate {

// A backbone turns N·C·H·W crops into raw (not normalised) embeddings, N·E. Values of its
// parameters and buffers are undefined until LoadWeights() (face/torch/tensor_conversion.h) sets
// them.
class Backbone : public Chain {
 public:
  // Makes no layers yet.
  Backbone(const network::Input& input, bool fits_onednn)
      : input_(input), fits_onednn_(fits_onednn) {}

  const network::Input& input() const { return input_; }
  // The shape of so many crops.
  std::vector<int64_t> InputShape(int64_t crops) const {
    return {crops, input_.channels, input_.height, input_.width};
  }
  bool fits_onednn() const { return fits_onednn_; }  // see FitsOneDnn()

 private:
  const network::Input input_;
  const bool fits_onednn_;
};

// Makes the modules of a network. kInternal where LibTorch fails.
StatusOr<std::shared_ptr<Backbone>> CreateBackbone(const network::Description& description);

// Makes those of what DescribeArchitecture() describes, with its errors.
StatusOr<std::shared_ptr<Backbone>> CreateBackbone(std::string_view architecture,
                                                   double dropout = 0.0);

}  // namespace facegate
