#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/image/preprocessing.h"
#include "trainer/learn/training_options.h"
#include "trainer/photos/augment.h"
#include "trainer/run/data_options.h"
#include "trainer/run/recipe.h"

namespace facegate {

// A run knows this of its photos once they are open.
struct RecipeFacts {
  int64_t identities = 0;         // with at least one labelled photo: the classes of the head
  int64_t batches_per_epoch = 1;  // at least 1
};

// A run trains by this: each value of a recipe where it is used, with nothing left to be filled in.
struct ResolvedRecipe {
  TrainingOptions training{};

  int64_t batch = 0;  // photos
  bool balanced = false;
  AugmentOptions augment{};
  double blend = 0.0;
  double degrade = 0.0;
  Preprocessing preprocessing{};  // of the network that learns

  std::string init{};     // trained weights to begin with: an absolute path; empty: none
  std::string teacher{};  // a model file: an absolute path; empty: none

  double epochs = 0.0;
  double evaluate_every = 0.0;  // epochs
  bool evaluate_mirror = false;

  int64_t checkpoint_every = 0;  // batches
  int64_t checkpoint_keep = 0;
  std::string best_by{};
  std::vector<std::string> best_sets{};  // empty: all
  int64_t patience = 0;                  // evaluations; 0: without end

  int64_t threads = 0;  // at least 1
  int64_t loader_threads = 0;
  int64_t processes = 1;  // that have the threads together
  std::string device{};   // as ChooseDevice() takes it

  Recipe::Card card{};
  std::string summary{};                // RecipeSummary()
  std::vector<std::string> warnings{};  // RecipeWarnings()
};

// Says which photos the recipe names. `spelled_out` is SpelledOut(), here and below.
DataOptions DataOptionsOf(const Recipe& spelled_out);

// Fails with kInvalidArgument for an unknown architecture.
StatusOr<ResolvedRecipe> ResolveRecipe(const Recipe& spelled_out, const RecipeFacts& facts);

}  // namespace facegate
