#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace facegate {

// A tensor in C order; `values` has as many numbers as the extents multiply to.
struct NetworkTensor {
  std::vector<int> shape;
  std::vector<float> values;
};

// The weights of a small network (face/network/grey_networks.h) as a plain value, so that what runs
// them need not know what a weight file is. Names and shapes are checked where the network is
// built.
struct NetworkWeights {
  std::map<std::string, NetworkTensor, std::less<>> tensors;
  // The first 12 hexadecimal digits of the tensors' digest; names the network in records.
  std::string digest;
};

using LandmarkWeights = NetworkWeights;  // of face/detect/landmark_net.h
using QualityWeights = NetworkWeights;   // of face/detect/quality_net.h

}  // namespace facegate
