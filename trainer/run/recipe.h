#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "trainer/learn/head_options.h"
#include "trainer/photos/augment.h"

namespace facegate {

// A recipe is what a text says about a training: the value of each key as it is given, in the
// sections of the YAML file, so that "head.scale" is head.scale here. The meaning and range of each
// key are in the table of recipe_keys.cc. What a run makes of it, with what it knows of its photos,
// is a ResolvedRecipe.
struct Recipe {
  struct Data {
    std::vector<std::string> train{};
    std::vector<std::string> unlabelled{};
    std::string root{};
    std::string leave_out{};
    int64_t centre_crop = 0;
    int64_t min_photos = 1;
    int64_t batch = 64;
    bool balanced = false;
    std::string colour = "rgb";
    std::string alignment = "arcface-112x112";
    std::string values = "centred";
  };
  struct Augment : AugmentOptions {
    double random_crop = 0.0;
    double blend = 0.0;
    double degrade = 0.0;
  };
  struct Synthetic {
    int64_t identities = 0;
    int64_t views = 20;
    uint64_t seed = 1;
  };
  struct Holdout {
    int64_t identities = 0;
    int64_t photos = 30;
    int64_t pairs = 6000;
    double share = 0.0;
    int64_t folds = 0;
    int64_t fold = 0;
    std::string fold_by = "photos";
  };
  struct Evaluate {
    std::vector<std::string> pairs{};
    std::string photos{};
    double every = 1.0;  // epochs
    bool mirror = false;
  };
  struct Network {
    std::string architecture = "mobilefacenet-128";
    std::string input{};  // WIDTHxHEIGHT; empty: the architecture's
    double dropout = 0.0;
    uint64_t seed = 1;
    bool channels_last = true;
    std::string precision = "fp32";
    std::string init{};
    std::vector<std::string> freeze{};
  };
  struct Head {
    std::string kind = "arcface";
    double scale = 64.0;
    std::optional<double> margin{};  // none: DefaultMargin()
    bool easy_margin = false;
    std::string gradient = "exact";
    double m1 = 1.0;
    double m2 = 0.5;
    double m3 = 0.0;
    double h = 0.333;
    double norm_momentum = 0.01;
    double lower_norm = 10.0;
    double upper_norm = 110.0;
    double lower_margin = 0.45;
    double upper_margin = 0.8;
    double norm_weight = 35.0;
    int angle_factor = 4;
    double lambda_base = 1000.0;
    double lambda_gamma = 0.12;
    double lambda_power = 1.0;
    double lambda_minimum = 5.0;
    int64_t sub_centers = 1;
    double sample_rate = 1.0;
    double interclass_filter = 0.0;
    bool linear = false;
    double margin_warmup = 0.0;  // epochs
  };
  struct Loss : LossOptions {
    double likeness = 0.0;
  };
  struct Teacher {
    std::string model{};
    double weight = 1.0;
    double map_weight = 0.0;
  };
  struct Optimizer {
    std::string kind = "sgd";
    double momentum = 0.9;
    bool nesterov = true;
    double beta1 = 0.9;
    double beta2 = 0.999;
    double epsilon = 1e-8;
    double final_rate = 0.1;
    double bound_speed = 1e-3;
    bool amsbound = false;
    double weight_decay = 5e-4;
    double clip_norm = 0.0;
    double backbone_rate = 1.0;
    int64_t accumulate = 1;
    double ema = 0.0;
  };
  // Lengths are in epochs.
  struct Schedule {
    std::string kind = "cosine";
    double rate = 0.1;
    int64_t rate_batch = 0;
    double rate_least = 0.0;
    double rate_most = 1e3;
    double minimum = 0.0;
    double epochs = 20.0;
    double warmup = 1.0;
    double step_every = 10.0;
    double gamma = 0.1;
    std::vector<double> milestones{};
    double power = 1.0;
    double tail = 0.0;
  };
  struct Checkpoint {
    int64_t every = 200;  // batches
    int64_t keep = 2;
    std::string best_by = "accuracy";
    std::vector<std::string> best_sets{};
    int64_t patience = 0;
  };
  struct Machine {
    int64_t threads = 0;  // 0: as many as the machine has cores
    int64_t loader_threads = 1;
    int64_t processes = 1;
    std::string compress = "off";
    bool recompute = false;
    std::string device = "auto";
    bool deterministic = false;
    std::string cuda_graph = "auto";
  };
  struct Card {
    std::string training_data{};
    std::string licence{};
    std::string origin{};
    std::string intended_use{};
    std::string unintended_use{};
  };

  Data data{};
  Augment augment{};
  Synthetic synthetic{};
  Holdout holdout{};
  Evaluate evaluate{};
  Network network{};
  Head head{};
  Loss loss{};
  Teacher teacher{};
  Optimizer optimizer{};
  Schedule schedule{};
  Checkpoint checkpoint{};
  Machine machine{};
  Card card{};
};

// Sets one key from text as YAML has it. `origin` says where it stands, for errors.
// kInvalidArgument with what is allowed, for an unknown key or a value out of range.
Status SetRecipeKey(std::string_view name, const std::string& text, const std::string& origin,
                    Recipe& recipe);
// Sets the keys of a YAML file: sections of keys ("head: {kind: arcface}" is head.kind).
Status ReadRecipe(const std::string& path, Recipe& recipe);

// The value of holdout.fold_by that is not its default.
inline constexpr char kFoldByPeople[] = "people";
// Tells whether people are held out, and pairs made of their photos.
bool HoldsOutPeople(const Recipe& recipe);
// Tells whether photos of people who are trained on are kept from training.
bool KeepsPhotos(const Recipe& recipe);

// The network as DescribeArchitecture() takes it: network.architecture for network.input.
std::string SizedArchitecture(const Recipe& recipe);

// Says what is missing or does not fit together, by the names of keys.
Status CheckRecipe(const Recipe& recipe);
// A sentence on each key that has another value than its default, but no effect with the rest, and
// on warm-ups that are too long for the training.
std::vector<std::string> RecipeWarnings(const Recipe& recipe);

// Returns the recipe that says the same wherever it is read: paths made absolute (below data.root,
// where there is one), threads 0 made the machine's, the margin that of the head's kind where it is
// not given. Spelling out twice changes nothing more.
Recipe SpelledOut(Recipe recipe);
// Makes paths below data.root relative to it, as a run keeps them, so that all of them move with
// it.
Recipe WithRelativePaths(Recipe spelled_out);
// Takes out the folders of this machine: paths below data.root are relative to it, of others the
// last part stays, and there is no root.
Recipe WithoutFolders(Recipe spelled_out);

// All keys as YAML, those at their defaults too: ReadRecipe() gives the same recipe back.
std::string RecipeToYaml(Recipe recipe);
// The keys that are not at their defaults, "SECTION.KEY: VALUE" a line, as a model card keeps them:
// without the card's own and the machine's, WithoutFolders().
std::string RecipeSummary(const Recipe& spelled_out);
// Every key with its sentence, range and default, as a commented YAML file.
std::string RecipeHelp();

}  // namespace facegate
