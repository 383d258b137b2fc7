#include "trainer/run/recipe.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <thread>

namespace facegate {
namespace {

int64_t Steps(double epochs, int64_t per_epoch) {
  return static_cast<int64_t>(std::llround(epochs * static_cast<double>(per_epoch)));
}

}  // namespace

Status CheckRecipe(const Recipe& recipe) {
  const bool has_labels = !recipe.data.train.empty() || recipe.data.synthetic_identities > 0;
  if (!has_labels && recipe.data.unlabelled.empty()) {
    return InvalidArgument("data.train is empty: say what to train with");
  }
  if (!has_labels) return InvalidArgument("there is nothing with labels to train with");
  if (!recipe.data.unlabelled.empty() && recipe.teacher.empty()) {
    return InvalidArgument("data.unlabelled needs teacher.model");
  }
  if (recipe.training.map_distillation > 0.0 && recipe.teacher.empty()) {
    return InvalidArgument("teacher.map_weight needs teacher.model");
  }
  if (recipe.blend > 0.0 && recipe.teacher.empty()) {
    return InvalidArgument("augment.blend needs teacher.model");
  }
  if (recipe.balanced && !recipe.data.unlabelled.empty()) {
    return InvalidArgument("data.balanced and data.unlabelled do not go together");
  }
  if (recipe.data.holdout_identities == 1) {
    return InvalidArgument("holdout.identities must be 0 or at least 2: pairs of two people");
  }
  if (recipe.data.evaluate_pairs.empty() != recipe.data.evaluate_photos.empty()) {
    return InvalidArgument("evaluate.pairs and evaluate.photos go together");
  }
  if (recipe.patience > 0 && recipe.data.holdout_identities == 0 &&
      recipe.data.evaluate_pairs.empty()) {
    return InvalidArgument("checkpoint.patience needs holdout.identities or evaluate.pairs");
  }
  if (recipe.checkpoint_every % recipe.training.accumulate != 0) {
    return InvalidArgument("checkpoint.every must be a multiple of optimizer.accumulate");
  }
  if (recipe.training_data.empty()) {
    return InvalidArgument(
        "card.training_data is empty: say what the photos are, who is in them and their terms");
  }
  return OkStatus();
}

Recipe Resolved(Recipe recipe) {
  namespace fs = std::filesystem;
  const fs::path root = fs::absolute(recipe.root.empty() ? "." : recipe.root);
  const auto resolve = [&](std::string& path) {
    if (!path.empty()) path = (root / path).lexically_normal().string();
  };
  for (std::string& path : recipe.data.train) resolve(path);
  for (std::string& path : recipe.data.unlabelled) resolve(path);
  resolve(recipe.data.leave_out);
  resolve(recipe.data.evaluate_pairs);
  resolve(recipe.data.evaluate_photos);
  resolve(recipe.teacher);
  recipe.root = root.lexically_normal().string();
  recipe.data.seed = recipe.training.seed;
  recipe.training.optimizer.base_rate = recipe.training.schedule.base;
  recipe.training.head.margin.gradient =
      recipe.gradient == "exact" ? MarginGradient::kExact : MarginGradient::kStraightThrough;
  if (recipe.threads == 0) {
    recipe.threads = std::max<int64_t>(1, std::thread::hardware_concurrency());
  }
  return recipe;
}

void ResolveSteps(int64_t batches_per_epoch, Recipe& recipe) {
  const int64_t accumulate = recipe.training.accumulate;
  const auto updates = [&](double epochs) { return Steps(epochs, batches_per_epoch) / accumulate; };
  ScheduleOptions& schedule = recipe.training.schedule;
  schedule.total = std::max<int64_t>(1, updates(recipe.epochs));
  schedule.warmup = std::min(schedule.total, updates(recipe.warmup));
  schedule.every = std::max<int64_t>(1, updates(recipe.step_every));
  schedule.tail = std::min(schedule.total - schedule.warmup, updates(recipe.tail));
  schedule.milestones.clear();
  for (const double epoch : recipe.milestones) schedule.milestones.push_back(updates(epoch));
  recipe.training.margin_warmup = Steps(recipe.margin_warmup, batches_per_epoch);
}

}  // namespace facegate
