#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "trainer/photos/dataset.h"
#include "trainer/photos/pair_set.h"

namespace facegate {

// Pairs of photos of a dataset, in ten folds of consecutive pairs.
struct EvaluationSet {
  static constexpr size_t kFolds = 10;
  // One of each kind in each fold.
  static constexpr size_t kFewestPairs = 2 * kFolds;

  using Pair = PicturePair;  // of numbers in `photos`
  std::string name;          // no two sets of a run have the same
  std::shared_ptr<const Dataset> source;
  std::vector<size_t> photos;  // numbers in `source`, each once
  std::vector<Pair> pairs;
};

}  // namespace facegate
