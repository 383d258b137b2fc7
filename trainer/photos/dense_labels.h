#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

namespace facegate {

// Labels from 0 to classes - 1 without gaps, whatever a set calls its identities.
struct DenseLabels {
  std::vector<std::string> classes;  // what the set calls them, by label
  std::vector<uint32_t> labels;      // of each photo
};

// One name or number for each photo. Classes are in the order of numbers where all names are whole
// numbers, of names otherwise.
DenseLabels DenseLabelsOf(std::span<const std::string> names);
DenseLabels DenseLabelsOf(std::span<const int64_t> numbers);

}  // namespace facegate
