#pragma once

#include <string>

#include "face/base/status.h"
#include "face/weights/network_file.h"
#include "face/weights/network_weights.h"

namespace facegate {

// The types and calls of network_file.h, for quality networks.
using QualityCard = NetworkCard;
inline StatusOr<QualityWeights> ReadQualityWeights(const std::string& path) {
  return ReadNetworkWeights(path, NetworkKind::kQuality);
}
inline Status WriteQualityWeights(const std::string& path, const QualityWeights& weights,
                                  const QualityCard& card) {
  return WriteNetworkWeights(path, weights, NetworkKind::kQuality, card);
}

}  // namespace facegate
