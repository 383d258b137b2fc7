#pragma once

#include <string>

#include "face/base/status.h"
#include "face/weights/network_file.h"
#include "face/weights/network_weights.h"

namespace facegate {

// The types and calls of network_file.h, for landmark networks.
using LandmarkCard = NetworkCard;
inline StatusOr<LandmarkWeights> ReadLandmarkWeights(const std::string& path) {
  return ReadNetworkWeights(path, NetworkKind::kLandmarks);
}
inline Status WriteLandmarkWeights(const std::string& path, const LandmarkWeights& weights,
                                   const LandmarkCard& card) {
  return WriteNetworkWeights(path, weights, NetworkKind::kLandmarks, card);
}

}  // namespace facegate
