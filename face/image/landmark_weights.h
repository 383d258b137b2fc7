#pragma once

#include <functional>
#include <map>
#include <string>
#include <vector>

namespace facegate {

// A tensor in C order; `values` has as many numbers as the extents multiply to.
struct LandmarkTensor {
  std::vector<int> shape;
  std::vector<float> values;
};

// The weights of the landmark network (face/detect/landmark_net.h) as a plain value, so that what
// runs them need not know what a weight file is. Names and shapes are checked where the network is
// built.
struct LandmarkWeights {
  std::map<std::string, LandmarkTensor, std::less<>> tensors;
  // The first 12 hexadecimal digits of the tensors' digest; names the detector in records.
  std::string digest;
};

}  // namespace facegate
