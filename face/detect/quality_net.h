#pragma once

#include <memory>
#include <opencv2/core/mat.hpp>
#include <utility>

#include "face/base/status.h"
#include "face/detect/grey_network.h"
#include "face/network/grey_networks.h"
#include "face/weights/network_weights.h"

namespace facegate {

// Makes the network's input: the pixels of an 8-bit grey crop, 0 to 255 as -1 to 1; light matters.
cv::Mat QualityInput(const cv::Mat& crop);

// The network's opinion of a crop.
struct QualityOpinion {
  double expected_score = 0.0;  // the cosine with a faultless copy of the same photo
  double eyes_visible = 0.0;    // probabilities
  double mouth_visible = 0.0;
};

// The quality network, trained by facegate-train fit-quality. It looks at the frame of the average
// face (face_frame.h) in an aligned crop. Not thread-safe; the weights may go away after Create().
class QualityNet {
 public:
  // kInvalidArgument, naming a tensor, for weights of other names or shapes or that are not finite.
  static StatusOr<std::unique_ptr<QualityNet>> Create(const QualityWeights& weights);
  explicit QualityNet(std::unique_ptr<GreyNetwork> network) : network_(std::move(network)) {}

  // `crop`: 8-bit grey, of kQualityCropSide.
  StatusOr<QualityOpinion> Run(const cv::Mat& crop);

 private:
  std::unique_ptr<GreyNetwork> network_;
};

}  // namespace facegate
