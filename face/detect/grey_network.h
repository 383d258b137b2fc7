#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <vector>

#include "face/base/status.h"
#include "face/network/description.h"
#include "face/weights/network_weights.h"

namespace facegate {

// A GreyNetwork runs a network of face/network/grey_networks.h by cv::dnn. Not thread-safe;
// description and weights may go away after Create().
class GreyNetwork {
 public:
  // kInvalidArgument, naming a tensor, for weights of other names or shapes or that are not finite,
  // and, naming a layer, for a network with layers that grey networks do not have.
  static StatusOr<std::unique_ptr<GreyNetwork>> Create(const network::Description& description,
                                                       const NetworkWeights& weights);
  virtual ~GreyNetwork() = default;

  // `input`: one channel of floats, of the side that the description says. As many numbers as it
  // has outputs; kInternal for another input, and when the library fails.
  virtual StatusOr<std::vector<float>> Run(const cv::Mat& input) = 0;
};

}  // namespace facegate
