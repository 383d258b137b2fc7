#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// Two photos, by name, and whether they show one person.
struct FacePair {
  std::string first;
  std::string second;
  bool same = false;
  bool operator==(const FacePair&) const = default;
};

// Pairs in the order of their file, and into how many folds of consecutive pairs they are cut.
struct PairList {
  std::vector<FacePair> pairs;
  size_t folds = 10;
  std::vector<std::string> remarks{};  // how the lists were read, a line each
};

// Makes as many folds as there are pairs, where there are fewer pairs than folds.
void LimitFolds(PairList& list);

// Photos of a list that could not be found.
struct MissingPairPhotos {
  std::vector<std::string> photos{};  // each once, in the order of the list
  size_t names = 0;                   // photos that the list names, each once
  size_t pairs = 0;                   // pairs that need a missing one
};
// Finds the photos that are not there by `exists`, which is asked once for each.
MissingPairPhotos FindMissing(const PairList& list,
                              const std::function<bool(const std::string&)>& exists);
// Leaves out the pairs that need one of `missing`; there are no more folds than pairs then.
void LeaveOutPairs(const std::vector<std::string>& missing, PairList& list);

// kInvalidArgument where no figures can be made of the list: with fewer than two pairs or folds, or
// pairs of one kind alone. To be asked before photos are embedded.
Status CheckMeasurable(const PairList& list);

}  // namespace facegate
