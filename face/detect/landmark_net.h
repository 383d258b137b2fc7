#pragma once

#include <array>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <utility>

#include "face/base/status.h"
#include "face/detect/grey_network.h"
#include "face/network/grey_networks.h"
#include "face/weights/network_weights.h"

namespace facegate {

// A point is where the average face has it (face_frame.h) and the output times this, in shares of
// the frame.
inline constexpr double kLandmarkUnit = 0.1;

// Makes the network's input: the pixels of an 8-bit grey crop, moved and scaled to the mean 0 and
// the deviation 1, so that light matters little.
cv::Mat LandmarkInput(const cv::Mat& crop);

// The landmark network, trained by facegate-train fit-landmarks. Not thread-safe; the weights may
// go away after Create().
class LandmarkNet {
 public:
  using Outputs = std::array<float, kLandmarkOutputs>;

  // kInvalidArgument, naming a tensor, for weights of other names or shapes or that are not finite.
  static StatusOr<std::unique_ptr<LandmarkNet>> Create(const LandmarkWeights& weights);
  explicit LandmarkNet(std::unique_ptr<GreyNetwork> network) : network_(std::move(network)) {}

  // `crop`: 8-bit grey, of kLandmarkCropSide. Raw outputs; the last is the logarithm of the odds
  // that the crop shows a face.
  StatusOr<Outputs> Run(const cv::Mat& crop);

 private:
  std::unique_ptr<GreyNetwork> network_;
};

}  // namespace facegate
