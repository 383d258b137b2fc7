#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/data/dataset.h"
#include "trainer/run/data_options.h"

namespace facegate {

// Pairs of photos of a dataset, in ten folds of consecutive pairs.
struct EvaluationSet {
  static constexpr size_t kFolds = 10;

  struct Pair {
    size_t first = 0;  // numbers in `photos`
    size_t second = 0;
    bool same = false;
  };
  std::string name;
  std::shared_ptr<const Dataset> source;
  std::vector<size_t> photos;  // numbers in `source`, each once
  std::vector<Pair> pairs;
};

// What a run trains on and what it is judged by.
struct TrainingData {
  std::shared_ptr<const Dataset> training;
  size_t labelled = 0;    // photos with a label
  size_t identities = 0;  // with at least one photo; classes of the head
  size_t synthetic = 0;   // of them generated
  std::vector<EvaluationSet> sets;
  // sha256 over the names, labels and pairs: a run goes on only with the same photos.
  std::string digest;
};

// Opens all sets; leaves out identities with too few photos and those that are held out, and makes
// labels dense. Who is held out, and the pairs, follow from the seed. kInvalidArgument names the
// option when there are too few identities.
StatusOr<TrainingData> OpenTrainingData(const DataOptions& options);

}  // namespace facegate
