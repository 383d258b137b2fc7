#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/image/preprocessing.h"
#include "trainer/run/recipe.h"
#include "trainer/run/resolved_recipe.h"
#include "trainer/run/training_data.h"

namespace facegate {

// A run of `fit` is this: all that follows from its recipe and its photos.
struct RunFacts {
  ResolvedRecipe recipe{};
  TrainingData data{};
  int64_t batches_per_epoch = 1;
  int64_t total = 0;           // batches
  int64_t evaluate_every = 1;  // batches
  // Numbers of data.sets whose mean decides which model is the best.
  std::vector<size_t> best_sets{};

  double EpochAt(int64_t batches) const {
    return static_cast<double>(batches) / static_cast<double>(batches_per_epoch);
  }
};

// Opens the photos of a recipe that is SpelledOut() and checked, for the process of that rank.
// Errors are those of OpenTrainingData(), ResolveRecipe() and DeviceOfProcess(), and
// kInvalidArgument where checkpoint.best_sets names no evaluation set.
StatusOr<RunFacts> OpenRunFacts(const Recipe& spelled_out, int rank = 0);

// How much there is to learn from and to evaluate with, a sentence each.
std::vector<std::string> DescribeFacts(const RunFacts& facts);

}  // namespace facegate
