#include "trainer/run/recipe.h"

#include <algorithm>
#include <cmath>
#include <filesystem>
#include <thread>

namespace facegate {
namespace {

namespace fs = std::filesystem;

int64_t Steps(double epochs, int64_t per_epoch) {
  return static_cast<int64_t>(std::llround(epochs * static_cast<double>(per_epoch)));
}

// Calls `change` for each path that is given, but for the root.
template <typename Change>
void ForEachPath(Recipe& recipe, Change change) {
  for (std::string& path : recipe.data.train) change(path);
  for (std::string& path : recipe.data.unlabelled) change(path);
  for (std::string* const path : {&recipe.data.leave_out, &recipe.data.evaluate_pairs,
                                  &recipe.data.evaluate_photos, &recipe.teacher, &recipe.init}) {
    if (!path->empty()) change(*path);
  }
}

}  // namespace

Recipe Resolved(Recipe recipe) {
  const fs::path root = fs::absolute(recipe.root.empty() ? "." : recipe.root);
  ForEachPath(recipe, [&](std::string& path) { path = (root / path).lexically_normal().string(); });
  if (!recipe.root.empty()) recipe.root = root.lexically_normal().string();
  recipe.data.root = recipe.root;
  recipe.data.seed = recipe.training.seed;
  recipe.training.optimizer.base_rate = recipe.training.schedule.base;
  MarginOptions& margin = recipe.training.head.margin;
  margin.gradient =
      recipe.gradient == "exact" ? MarginGradient::kExact : MarginGradient::kStraightThrough;
  if (!recipe.margin.has_value() && !recipe.training.head.linear) {
    recipe.margin = DefaultMargin(margin.kind);
  }
  margin.margin = recipe.margin.value_or(margin.margin);
  if (recipe.threads == 0) {
    recipe.threads = std::max<int64_t>(1, std::thread::hardware_concurrency());
  }
  return recipe;
}

Recipe WithRelativePaths(Recipe resolved) {
  if (resolved.root.empty()) return resolved;
  ForEachPath(resolved, [root = fs::path(resolved.root)](std::string& path) {
    const std::string below = fs::path(path).lexically_relative(root).string();
    if (!below.empty() && !below.starts_with("..")) path = below;
  });
  return resolved;
}

void ResolveSteps(int64_t batches_per_epoch, Recipe& recipe) {
  const int64_t accumulate = recipe.training.accumulate;
  const auto updates = [&](double epochs) { return Steps(epochs, batches_per_epoch) / accumulate; };
  ScheduleOptions& schedule = recipe.training.schedule;
  schedule.total = std::max<int64_t>(1, updates(recipe.epochs));
  // Otherwise a short run would end before the rate has fallen.
  schedule.warmup = std::min(schedule.total / 2, updates(recipe.warmup));
  schedule.every = std::max<int64_t>(1, updates(recipe.step_every));
  schedule.tail = std::min(schedule.total - schedule.warmup, updates(recipe.tail));
  schedule.milestones.clear();
  for (const double epoch : recipe.milestones) schedule.milestones.push_back(updates(epoch));
  recipe.training.margin_warmup = Steps(recipe.margin_warmup, batches_per_epoch);
}

}  // namespace facegate
