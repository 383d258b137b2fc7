#include <fmt/format.h>

#include <algorithm>
#include <initializer_list>
#include <iterator>
#include <string>
#include <string_view>
#include <utility>

#include "face/base/device.h"
#include "face/network/architecture.h"
#include "trainer/parallel/nccl_group.h"
#include "trainer/run/recipe.h"
#include "trainer/run/recipe_change.h"
#include "trainer/run/recipe_keys.h"

// Checks what fits together in a recipe, and what of it does something.
namespace facegate {
namespace {

bool HasKind(const Recipe& recipe, std::initializer_list<std::string_view> kinds) {
  const std::string& kind = recipe.head.kind;
  return !recipe.head.linear && std::find(kinds.begin(), kinds.end(), kind) != kinds.end();
}

bool IsExact(const Recipe& recipe) { return recipe.head.gradient == "exact"; }

bool HasSchedule(const Recipe& recipe, std::initializer_list<std::string_view> kinds) {
  return std::find(kinds.begin(), kinds.end(), recipe.schedule.kind) != kinds.end();
}

bool HasOptimizer(const Recipe& recipe, std::initializer_list<std::string_view> kinds) {
  return std::find(kinds.begin(), kinds.end(), recipe.optimizer.kind) != kinds.end();
}

bool IsEvaluated(const Recipe& recipe) {
  return HoldsOutPeople(recipe) || !recipe.evaluate.pairs.empty();
}

bool IsByPairs(const Recipe& recipe) {
  return recipe.checkpoint.best_by != kBestByLoss && recipe.checkpoint.best_by != kBestByValidation;
}

bool IsJudged(const Recipe& recipe) { return IsEvaluated(recipe) || !IsByPairs(recipe); }

// Keys that do something only where `has_effect`.
struct KeyUse {
  std::string_view keys;  // with a blank behind each
  bool (*has_effect)(const Recipe&);
  std::string_view where;
};

constexpr KeyUse kUses[] = {
    {"head.kind head.scale head.margin_warmup ", [](const Recipe& r) { return !r.head.linear; },
     "head.linear is false"},
    {"head.scale ", [](const Recipe& r) { return !HasKind(r, {"sphereface"}); },
     "head.kind is not sphereface"},
    {"head.interclass_filter ", [](const Recipe& r) { return !r.head.linear; },
     "head.linear is false"},
    {"head.margin_warmup ", [](const Recipe& r) { return !HasKind(r, {"softmax"}); },
     "head.kind is not softmax"},
    {"head.margin ",
     [](const Recipe& r) {
       return HasKind(r, {"arcface", "cosface", "adaface", "curricularface"});
     },
     "head.kind is arcface, cosface, adaface or curricularface"},
    {"head.easy_margin ",
     [](const Recipe& r) {
       return HasKind(r, {"magface"}) || (HasKind(r, {"arcface"}) && IsExact(r));
     },
     "head.kind is magface, or arcface with head.gradient exact"},
    {"head.gradient ",
     [](const Recipe& r) {
       return HasKind(r, {"arcface", "combined"});
     },
     "head.kind is arcface or combined"},
    {"head.m1 head.m2 head.m3 ", [](const Recipe& r) { return HasKind(r, {"combined"}); },
     "head.kind is combined"},
    {"head.h head.norm_momentum ", [](const Recipe& r) { return HasKind(r, {"adaface"}); },
     "head.kind is adaface"},
    {"head.lower_norm head.upper_norm head.lower_margin head.upper_margin head.norm_weight ",
     [](const Recipe& r) { return HasKind(r, {"magface"}); }, "head.kind is magface"},
    {"head.angle_factor head.lambda_base head.lambda_gamma head.lambda_power head.lambda_minimum ",
     [](const Recipe& r) { return HasKind(r, {"sphereface"}); }, "head.kind is sphereface"},
    {"network.dropout ",
     [](const Recipe& r) {
       const std::string& name = r.network.architecture;
       return !name.starts_with("mobilefacenet") && !name.ends_with("-grey128") &&
              !name.ends_with("-mean-128") && !name.ends_with("-plane-2");
     },
     "network.architecture has a dropout, as all but mobilefacenet-*, resnet-*-grey128, "
     "resnet-50-mean-128 and resnet-18-plane-2 have"},
    {"optimizer.momentum optimizer.nesterov ",
     [](const Recipe& r) { return HasOptimizer(r, {"sgd"}); }, "optimizer.kind is sgd"},
    {"optimizer.beta1 optimizer.beta2 optimizer.epsilon ",
     [](const Recipe& r) { return !HasOptimizer(r, {"sgd"}); }, "optimizer.kind is not sgd"},
    {"optimizer.final_rate optimizer.bound_speed optimizer.amsbound ",
     [](const Recipe& r) { return HasOptimizer(r, {"adabound"}); }, "optimizer.kind is adabound"},
    {"schedule.rate_least schedule.rate_most ",
     [](const Recipe& r) { return r.schedule.rate_batch > 0; }, "schedule.rate_batch is above 0"},
    {"schedule.minimum ",
     [](const Recipe& r) {
       return HasSchedule(r, {"cosine", "polynomial", "yolox"});
     },
     "schedule.kind is cosine, polynomial or yolox"},
    {"schedule.step_every ", [](const Recipe& r) { return HasSchedule(r, {"step"}); },
     "schedule.kind is step"},
    {"schedule.gamma ",
     [](const Recipe& r) {
       return HasSchedule(r, {"step", "multistep"});
     },
     "schedule.kind is step or multistep"},
    {"schedule.milestones ", [](const Recipe& r) { return HasSchedule(r, {"multistep"}); },
     "schedule.kind is multistep"},
    {"schedule.power ", [](const Recipe& r) { return HasSchedule(r, {"polynomial"}); },
     "schedule.kind is polynomial"},
    {"schedule.tail ", [](const Recipe& r) { return HasSchedule(r, {"yolox"}); },
     "schedule.kind is yolox"},
    {"augment.crop_shift augment.crop_zoom augment.crop_turn ",
     [](const Recipe& r) { return r.augment.crop > 0.0; }, "augment.crop is above 0"},
    {"augment.low_resolution_factor ",
     [](const Recipe& r) { return r.augment.low_resolution > 0.0; },
     "augment.low_resolution is above 0"},
    {"augment.low_resolution_least ",
     [](const Recipe& r) {
       return r.augment.low_resolution > 0.0 && r.augment.low_resolution_factor == 0.0;
     },
     "augment.low_resolution is above 0, and augment.low_resolution_factor 0"},
    {"augment.random_crop ", [](const Recipe& r) { return r.data.centre_crop > 0; },
     "data.centre_crop is above 0"},
    {"augment.blur_most ", [](const Recipe& r) { return r.augment.blur > 0.0; },
     "augment.blur is above 0"},
    {"augment.brightness augment.contrast augment.saturation augment.hue ",
     [](const Recipe& r) { return r.augment.photometric > 0.0; }, "augment.photometric is above 0"},
    {"augment.erase_most ", [](const Recipe& r) { return r.augment.erase > 0.0; },
     "augment.erase is above 0"},
    {"loss.likeness ", [](const Recipe& r) { return r.augment.degrade > 0.0; },
     "augment.degrade is above 0"},
    {"synthetic.views synthetic.seed ", [](const Recipe& r) { return r.synthetic.identities > 0; },
     "synthetic.identities is above 0"},
    {"holdout.photos holdout.pairs ", HoldsOutPeople,
     "holdout.identities is above 0, or there are holdout.folds of people"},
    {"holdout.fold holdout.fold_by ", [](const Recipe& r) { return r.holdout.folds > 0; },
     "holdout.folds is above 0"},
    {"evaluate.mirror ", IsEvaluated,
     "there are holdout.identities, holdout.folds of people or evaluate.pairs"},
    {"evaluate.every ", [](const Recipe& r) { return IsJudged(r) || KeepsPhotos(r); },
     "there are holdout.identities, holdout.share, holdout.folds or evaluate.pairs, or "
     "checkpoint.best_by is loss"},
    {"checkpoint.best_by ", IsJudged,
     "there are holdout.identities, holdout.folds of people or evaluate.pairs, or it is loss or "
     "validation"},
    {"checkpoint.best_sets ", [](const Recipe& r) { return IsEvaluated(r) && IsByPairs(r); },
     "there are holdout.identities, holdout.folds of people or evaluate.pairs, and "
     "checkpoint.best_by is accuracy, tar or eer"},
    {"machine.deterministic machine.cuda_graph ",
     [](const Recipe& r) { return r.machine.device != "cpu"; }, "machine.device is not cpu"},
    {"machine.compress ", [](const Recipe& r) { return r.machine.processes > 1; },
     "machine.processes is above 1"},
    {"teacher.weight ", [](const Recipe& r) { return !r.teacher.model.empty(); },
     "there is a teacher.model"},
};

// The network has maps that a teacher is compared by.
bool HasMaps(const std::string& architecture) {
  const auto network = DescribeArchitecture(architecture);
  return network.ok() && std::any_of(network->layers.begin(), network->layers.end(),
                                     [](const network::Layer& layer) { return layer.map; });
}

Status CheckTeacher(const Recipe& recipe) {
  if (!recipe.teacher.model.empty()) {
    if (recipe.teacher.map_weight == 0.0 || HasMaps(recipe.network.architecture)) {
      return OkStatus();
    }
    return InvalidArgument(fmt::format("teacher.map_weight needs maps to compare, and {} has none",
                                       recipe.network.architecture));
  }
  if (!recipe.data.unlabelled.empty()) {
    return InvalidArgument("data.unlabelled needs teacher.model");
  }
  if (recipe.teacher.map_weight > 0.0) {
    return InvalidArgument("teacher.map_weight needs teacher.model");
  }
  if (recipe.augment.blend > 0.0) return InvalidArgument("augment.blend needs teacher.model");
  return OkStatus();
}

Status CheckFolds(const Recipe::Holdout& said) {
  if (said.folds == 0) return OkStatus();
  if (said.folds == 1) {
    return InvalidArgument("holdout.folds must be 0 or at least 2: one is kept, the others train");
  }
  if (said.fold >= said.folds) {
    return InvalidArgument(
        fmt::format("holdout.fold is {}, but holdout.folds is {}: folds are 0 "
                    "to {}",
                    said.fold, said.folds, said.folds - 1));
  }
  if (said.fold_by == kFoldByPeople && said.identities > 0) {
    return InvalidArgument(
        "holdout.folds of people and holdout.identities both say who is held out: set one to 0");
  }
  if (said.fold_by != kFoldByPeople && said.share > 0.0) {
    return InvalidArgument(
        "holdout.folds of photos and holdout.share both say which photos are kept from training: "
        "set one to 0");
  }
  return OkStatus();
}

Status CheckEvaluation(const Recipe& recipe) {
  if (recipe.holdout.identities == 1) {
    return InvalidArgument("holdout.identities must be 0 or at least 2: pairs of two people");
  }
  FACEGATE_RETURN_IF_ERROR(CheckFolds(recipe.holdout));
  if (recipe.evaluate.pairs.empty() && !recipe.evaluate.photos.empty()) {
    return InvalidArgument("evaluate.photos needs evaluate.pairs");
  }
  if (recipe.checkpoint.best_by == kBestByValidation && !KeepsPhotos(recipe)) {
    return InvalidArgument(
        "checkpoint.best_by validation needs holdout.share, or holdout.folds of photos");
  }
  if (recipe.checkpoint.patience > 0 && !IsJudged(recipe)) {
    return InvalidArgument(
        "checkpoint.patience needs holdout.identities, holdout.folds of people, evaluate.pairs, or "
        "checkpoint.best_by loss or validation");
  }
  return OkStatus();
}

// Several processes have a part of each batch each; they are on the CPU, or have a card each.
Status CheckProcesses(const Recipe& recipe) {
  const int64_t processes = recipe.machine.processes;
  if (processes == 1) return OkStatus();
  if (recipe.data.batch % processes != 0) {
    return InvalidArgument(
        fmt::format("data.batch is {}, but must be a multiple of machine.processes, which is {}",
                    recipe.data.batch, processes));
  }
  if (recipe.machine.device.starts_with("cuda") && !HasNccl()) {
    return InvalidArgument(
        fmt::format("machine.processes above 1 trains on the CPU, and machine.device is {}",
                    recipe.machine.device));
  }
  const std::pair<bool, std::string_view> refused[] = {
      {!recipe.teacher.model.empty(), "teacher.model"},
      {recipe.loss.likeness > 0.0, "loss.likeness"},
      {recipe.holdout.share > 0.0, "holdout.share"},
      {KeepsPhotos(recipe), "holdout.folds of photos"},
      {recipe.network.precision == "fp16" && !HasNccl(), "network.precision fp16"}};
  for (const auto& [is_there, key] : refused) {
    if (!is_there) continue;
    return InvalidArgument(fmt::format("machine.processes above 1 and {} do not go together", key));
  }
  return OkStatus();
}

}  // namespace

bool HoldsOutPeople(const Recipe& recipe) {
  return recipe.holdout.identities > 0 ||
         (recipe.holdout.folds > 0 && recipe.holdout.fold_by == kFoldByPeople);
}

bool KeepsPhotos(const Recipe& recipe) {
  return recipe.holdout.share > 0.0 ||
         (recipe.holdout.folds > 0 && recipe.holdout.fold_by != kFoldByPeople);
}

std::string SizedArchitecture(const Recipe& recipe) {
  const Recipe::Network& network = recipe.network;
  if (network.input.empty()) return network.architecture;
  const std::string sized = network.architecture + "@" + network.input;
  const auto described = DescribeArchitecture(sized);  // knows the size that needs no word
  return described.ok() ? described->name : sized;
}

Status CheckRecipe(const Recipe& recipe) {
  const bool has_labels = !recipe.data.train.empty() || recipe.synthetic.identities > 0;
  if (!has_labels && recipe.data.unlabelled.empty()) {
    return InvalidArgument("data.train is empty: say what to train with");
  }
  if (!has_labels) return InvalidArgument("there is nothing with labels to train with");
  FACEGATE_RETURN_IF_ERROR(CheckTeacher(recipe));
  if (recipe.data.balanced && !recipe.data.unlabelled.empty()) {
    return InvalidArgument("data.balanced and data.unlabelled do not go together");
  }
  FACEGATE_RETURN_IF_ERROR(CheckEvaluation(recipe));
  if (const Status status = CheckDeviceName(recipe.machine.device); !status.ok()) {
    return Annotate(status, "machine.device");
  }
  FACEGATE_RETURN_IF_ERROR(CheckProcesses(recipe));
  if (const double factor = recipe.augment.low_resolution_factor; factor > 0.0 && factor < 1.0) {
    return RefuseField("augment.low_resolution_factor",
                       fmt::format("is {:g}, expected 0 or 1 to 64", factor));
  }
  if (!recipe.network.input.empty()) {
    const Status described = DescribeArchitecture(SizedArchitecture(recipe)).status();
    if (!described.ok()) return RefuseField("network.input", std::string(MessageOf(described)));
  }
  if (recipe.machine.device == "cpu" && recipe.network.precision == "fp16") {
    return InvalidArgument("network.precision fp16 needs a card, and machine.device is cpu");
  }
  if (recipe.checkpoint.every % recipe.optimizer.accumulate != 0) {
    return InvalidArgument("checkpoint.every must be a multiple of optimizer.accumulate");
  }
  if (!recipe.network.freeze.empty() && recipe.network.init.empty()) {
    return InvalidArgument(
        "network.freeze needs network.init: what is frozen would stay at random weights");
  }
  if (recipe.card.training_data.empty()) {
    return InvalidArgument(
        "card.training_data is empty: say what the photos are, who is in them and their terms");
  }
  return OkStatus();
}

std::vector<std::string> RecipeWarnings(const Recipe& recipe) {
  const std::string defaults = RecipeToYaml(Recipe{});
  std::vector<std::string> sentences;
  for (const RecipeChange& change : RecipeChanges(defaults, RecipeToYaml(recipe), defaults)) {
    const auto use = std::find_if(std::begin(kUses), std::end(kUses), [&](const KeyUse& one) {
      return one.keys.find(change.key + " ") != std::string_view::npos && !one.has_effect(recipe);
    });
    if (use == std::end(kUses)) continue;
    sentences.push_back(fmt::format("{} is {}, but has an effect only where {}", change.key,
                                    change.now, use->where));
  }
  if (2.0 * recipe.schedule.warmup > recipe.schedule.epochs) {
    sentences.push_back(
        fmt::format("schedule.warmup is {:g}, but the rate rises for at most half of the training, "
                    "which is {:g} of its epochs",
                    recipe.schedule.warmup, recipe.schedule.epochs / 2.0));
  }
  if (recipe.checkpoint.best_by == kBestByValidation && HasKind(recipe, {"sphereface"})) {
    sentences.emplace_back(
        "checkpoint.best_by is validation, but the loss of sphereface grows as its lambda falls: "
        "an early model looks better than it is");
  }
  if (recipe.head.margin_warmup >= recipe.schedule.epochs) {
    sentences.push_back(
        fmt::format("head.margin_warmup is {:g} and schedule.epochs {:g}: the margin never reaches "
                    "its full strength",
                    recipe.head.margin_warmup, recipe.schedule.epochs));
  }
  return sentences;
}

}  // namespace facegate
