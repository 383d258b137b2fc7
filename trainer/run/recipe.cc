#include "trainer/run/recipe.h"

#include <algorithm>
#include <filesystem>
#include <thread>
#include <utility>

#include "trainer/photos/photo_files.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

// Calls `change` for each path that is given, but for the root.
template <typename Change>
void ForEachPath(Recipe& recipe, Change change) {
  for (std::string& path : recipe.data.train) change(path);
  for (std::string& path : recipe.data.unlabelled) change(path);
  for (std::string& path : recipe.evaluate.pairs) change(path);
  for (std::string* const path : {&recipe.data.leave_out, &recipe.evaluate.photos,
                                  &recipe.teacher.model, &recipe.network.init}) {
    if (!path->empty()) change(*path);
  }
}

// `path` relative to `root`; empty where it is not below it.
std::string BelowRoot(const std::string& path, const std::string& root) {
  std::string below = root.empty() ? path : fs::path(path).lexically_relative(root).string();
  const bool is_outside = below.starts_with("..") || below.starts_with("/");
  return is_outside ? std::string() : below;
}

}  // namespace

Recipe SpelledOut(Recipe recipe) {
  std::string& root = recipe.data.root;
  const fs::path folder = WholePath(root.empty() ? "." : root);
  ForEachPath(recipe,
              [&](std::string& path) { path = WholePath((folder / path).string()).string(); });
  if (!root.empty()) root = folder.string();
  Recipe::Head& head = recipe.head;
  if (!head.margin.has_value() && !head.linear) head.margin = DefaultMargin(head.kind);
  if (recipe.machine.threads == 0) {
    recipe.machine.threads = std::max<int64_t>(1, std::thread::hardware_concurrency());
  }
  return recipe;
}

Recipe WithRelativePaths(Recipe spelled_out) {
  if (spelled_out.data.root.empty()) return spelled_out;
  ForEachPath(spelled_out, [root = spelled_out.data.root](std::string& path) {
    if (const std::string below = BelowRoot(path, root); !below.empty()) path = below;
  });
  return spelled_out;
}

Recipe WithoutFolders(Recipe spelled_out) {
  const std::string root = std::exchange(spelled_out.data.root, std::string());
  ForEachPath(spelled_out, [&](std::string& path) {
    const std::string below = BelowRoot(path, root);
    path = below.empty() ? fs::path(path).filename().string() : below;
  });
  return spelled_out;
}

}  // namespace facegate
