#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "trainer/learn/training_options.h"
#include "trainer/photos/augment.h"
#include "trainer/run/data_options.h"

namespace facegate {

// Everything that decides what a training comes to. The meaning, range and default of each key are
// in the table of recipe_keys.cc; a run keeps its recipe, and CheckMayChange() says what may differ
// when it goes on.
struct Recipe {
  DataOptions data{};
  std::string root{};  // of relative paths, in lists too; empty: none
  int64_t batch = 64;
  bool balanced = false;
  AugmentOptions augment{};
  double blend = 0.0;
  double degrade = 0.0;
  std::string colour = "rgb";

  double evaluate_every = 1.0;
  bool evaluate_mirror = false;

  // The schedule's lengths and the margin's warm-up are in the epochs below; ResolveSteps() sets
  // those of `training` in steps.
  TrainingOptions training{};
  std::string init{};              // trained weights to begin with
  std::optional<double> margin{};  // none: DefaultMargin()
  std::string gradient = "exact";
  double epochs = 20.0;
  double warmup = 1.0;
  double margin_warmup = 0.0;
  double step_every = 10.0;
  std::vector<double> milestones{};
  double tail = 0.0;
  std::string teacher{};

  int64_t checkpoint_every = 200;
  int64_t checkpoint_keep = 2;
  std::string best_by = "accuracy";
  int64_t patience = 0;

  int64_t threads = 0;
  int64_t loader_threads = 1;

  std::string training_data{};
  std::string licence{};
  std::string origin{};
  std::string intended_use{};
  std::string unintended_use{};
};

// Sets one key from text as YAML has it. `origin` says where it stands, for errors.
// kInvalidArgument with what is allowed, for an unknown key or a value out of range.
Status SetRecipeKey(std::string_view name, const std::string& text, const std::string& origin,
                    Recipe& recipe);
// Sets the keys of a YAML file: sections of keys ("head: {kind: arcface}" is head.kind).
Status ReadRecipe(const std::string& path, Recipe& recipe);

// Says what is missing or does not fit together, by the names of keys.
Status CheckRecipe(const Recipe& recipe);
// A sentence on each key that has another value than its default, but no effect with the rest, and
// on warm-ups that are too long for the training.
std::vector<std::string> RecipeWarnings(const Recipe& recipe);
// Paths made absolute (below `root`, where there is one), threads 0 made the machine's, the margin
// that of the head's kind where it is not given.
Recipe Resolved(Recipe recipe);
// Returns the recipe as a run keeps it: paths below `root` are relative to it, so that all of them
// move with it.
Recipe WithRelativePaths(Recipe resolved);
// Lengths in steps, for epochs of so many batches.
void ResolveSteps(int64_t batches_per_epoch, Recipe& recipe);

// All keys as YAML, those at their defaults too: ReadRecipe() gives the same recipe back.
std::string RecipeToYaml(const Recipe& recipe);
// The keys that are not at their defaults, "SECTION.KEY: VALUE" a line, as a model card keeps them:
// without the card's own and the machine's, and without this machine's folders. Paths below `root`
// are relative to it, of others the last part stays.
std::string RecipeSummary(const Recipe& recipe);
// Every key with its sentence, range and default, as a commented YAML file.
std::string RecipeHelp();

}  // namespace facegate
