#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "trainer/inspect/photo_facts.h"

namespace facegate {

// Two photos are near duplicates when their hashes differ in no more places than these; chosen on
// aligned crops, which are all alike in the coarse.
constexpr int kNearCoarse = 3;  // of 64; below the number of bands that the search uses
constexpr int kNearFine = 12;   // of 256

// Photos that show the same picture.
struct DuplicateGroup {
  std::vector<size_t> photos;      // numbers, ascending; two or more
  bool identical = false;          // byte for byte, all of them
  bool across_identities = false;  // the labels contradict each other
};

// All groups, in the order of their first photos: photos that are identical, or linked by pairs
// that are near; none is in two groups. Facts are absent where a photo cannot be read. `labels` has
// as many values as `facts`.
std::vector<DuplicateGroup> FindDuplicates(std::span<const std::optional<PhotoFacts>> facts,
                                           std::span<const uint32_t> labels);

}  // namespace facegate
