#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/weights/network_weights.h"

namespace facegate {

// A 3×3 convolution, followed by a ReLU.
struct GreyConvolution {
  int inputs = 0;
  int outputs = 0;
  int stride = 1;
};

struct NetworkTensorShape {
  std::string name;
  std::vector<int> shape;
};

// A small network over a grey crop: convolutions, then two connected layers with a ReLU between.
struct GreyNetworkLayout {
  std::string name;  // what errors call it
  std::vector<GreyConvolution> convolutions;
  int crop_side = 0;  // pixels
  int grid_side = 0;  // what the convolutions leave of it
  int hidden = 0;     // numbers between the connected layers
  int outputs = 0;
  std::vector<NetworkTensorShape> more;  // tensors that are not of a layer
};

// Names and shapes of the tensors: "convolution1.weight" [outputs, inputs, 3, 3],
// "convolution1.bias" and so on, "hidden.weight" [hidden, features], "output.weight", their biases,
// and `more`.
std::vector<NetworkTensorShape> TensorShapesOf(const GreyNetworkLayout& layout);

// kInvalidArgument, naming a tensor, for weights of other names or shapes or that are not finite.
Status CheckNetworkWeights(const GreyNetworkLayout& layout, const NetworkWeights& weights);

// Such a network by cv::dnn. Not thread-safe; the weights may go away after Create().
class GreyNetwork {
 public:
  // Fails as CheckNetworkWeights() does.
  static StatusOr<std::unique_ptr<GreyNetwork>> Create(const GreyNetworkLayout& layout,
                                                       const NetworkWeights& weights);
  virtual ~GreyNetwork() = default;

  // `input`: one channel of floats, of layout.crop_side. As many numbers as the layout has outputs;
  // kInternal for another input, and when the library fails.
  virtual StatusOr<std::vector<float>> Run(const cv::Mat& input) = 0;
};

}  // namespace facegate
