#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <string>

#include "face/network/description.h"

namespace facegate::network {

// How often a network computes what: elementary operations, with their numbers, in words.
// Residuals, gates and the like are what they consist of; what does nothing at inference is not
// counted, nor are a flattening and orders of the numbers of a map. It holds no weights: networks
// of one census may compute different things.
using Census = std::map<std::string, int64_t>;

Census CensusOf(const Description& description);

// What is known of the numbers of tensors, by their names: equal texts are of equal numbers. Those
// of a batch norm's factors of 1 and summands of 0 are missing.
using TensorContents = std::map<std::string, std::string, std::less<>>;

// Tells whether networks compute the same: the operations of a census, each with the same numbers
// and with the results of the same operations as its inputs.
class Computations {
 public:
  // What stands for the output of a network, of one number for all networks that compute the same.
  size_t Of(const Description& description, const TensorContents& contents);

 private:
  std::map<std::string, size_t> known_;  // results, by operation and inputs
};

}  // namespace facegate::network
