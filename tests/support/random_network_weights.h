#pragma once

#include <cmath>
#include <cstdint>

#include "face/base/split_mix.h"
#include "face/detect/landmark_net.h"
#include "face/detect/quality_net.h"
#include "face/weights/network_weights.h"

namespace facegate {

// Weights of a network that knows nothing: uniform numbers of about the size that keeps the signal.
inline NetworkWeights RandomNetworkWeights(const GreyNetworkLayout& layout, uint64_t seed) {
  SplitMix64 numbers(seed);
  NetworkWeights weights{.tensors = {}, .digest = "0123456789ab"};
  for (const NetworkTensorShape& one : TensorShapesOf(layout)) {
    NetworkTensor& tensor = weights.tensors[one.name];
    tensor.shape = one.shape;
    size_t count = 1;
    for (const int extent : one.shape) count *= static_cast<size_t>(extent);
    const size_t inputs = count / static_cast<size_t>(one.shape.front());
    const double reach = std::sqrt(6.0 / static_cast<double>(inputs));
    tensor.values.reserve(count);
    for (size_t i = 0; i < count; ++i) {
      const double uniform = static_cast<double>(numbers.Next() >> 11) * 0x1p-53;
      tensor.values.push_back(static_cast<float>(reach * (2 * uniform - 1)));
    }
  }
  return weights;
}

// Weights of a landmark network whose frame is the cascade's box.
inline LandmarkWeights RandomLandmarkWeights(uint64_t seed) {
  LandmarkWeights weights = RandomNetworkWeights(LandmarkLayout(), seed);
  weights.tensors[kBoxToFrame].values = {0, 0, 1};
  return weights;
}

inline QualityWeights RandomQualityWeights(uint64_t seed) {
  return RandomNetworkWeights(QualityLayout(), seed);
}

}  // namespace facegate
