#pragma once

#include <cmath>
#include <cstdint>

#include "face/base/split_mix.h"
#include "face/network/grey_networks.h"
#include "face/network/tensor_list.h"
#include "face/weights/network_weights.h"
#include "face/weights/weights.h"

namespace facegate {

// Weights of a network that knows nothing: uniform numbers of about the size that keeps the signal.
inline NetworkWeights RandomNetworkWeights(const network::Description& description, uint64_t seed) {
  SplitMix64 numbers(seed);
  NetworkWeights weights{.tensors = {}, .digest = "0123456789ab"};
  for (const network::TensorShape& one : network::TensorsOf(description)) {
    NetworkTensor& tensor = weights.tensors[one.name];
    tensor.shape.assign(one.shape.begin(), one.shape.end());
    const auto count = static_cast<size_t>(ElementCount(one.shape).value());
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
  LandmarkWeights weights = RandomNetworkWeights(DescribeLandmarkNetwork(), seed);
  weights.tensors[kBoxToFrame].values = {0, 0, 1};
  return weights;
}

inline QualityWeights RandomQualityWeights(uint64_t seed) {
  return RandomNetworkWeights(DescribeQualityNetwork(), seed);
}

}  // namespace facegate
