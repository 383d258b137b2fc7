#include "trainer/run/run_directory.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <utility>

#include "face/base/file.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr char kRecipe[] = "recipe.yaml";
constexpr char kCheckpoints[] = "checkpoints";
constexpr char kBest[] = "best.safetensors";
constexpr char kModel[] = "model.safetensors";
constexpr std::string_view kPrefix = "batch-";
constexpr std::string_view kSuffix = ".safetensors";
constexpr uint64_t kMostRecipeBytes = 1 << 20;

// True when a run may begin in the folder: the caller's shell may have put there what it holds.
bool MayHoldRun(const fs::path& path) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const std::string name = entry.path().filename().string();
    if (name != ".lock" && !name.ends_with(".log")) return false;
  }
  return !error;
}

// True for what a run that learned nothing may have left behind.
bool IsLeftBehind(const std::string& name) {
  static constexpr std::array<std::string_view, 5> kNames = {
      "steps.csv", "evaluations.csv", "validation.csv", "log.jsonl", "report.html"};
  return std::find(kNames.begin(), kNames.end(), name) != kNames.end() ||
         name.starts_with("events.out.tfevents.");
}

}  // namespace

StatusOr<std::string> ReadRunRecipe(const std::string& path) {
  return ReadFile((fs::path(path) / kRecipe).string(), kMostRecipeBytes);
}

StatusOr<std::unique_ptr<RunDirectory>> RunDirectory::Open(const std::string& path,
                                                           const std::string& recipe,
                                                           const std::string& defaults) {
  std::error_code error;
  fs::create_directories(fs::path(path), error);
  if (error) return FailedPrecondition(fmt::format("cannot create {}: {}", path, error.message()));
  const bool is_new = !fs::exists(fs::path(path) / kRecipe, error);
  if (is_new && !MayHoldRun(path)) {
    return FailedPrecondition(
        fmt::format("{} holds other files but no run; name a new folder", path));
  }
  FACEGATE_ASSIGN_OR_RETURN(FolderLock lock, FolderLock::Take(path));
  std::unique_ptr<RunDirectory> run(new RunDirectory(path, recipe, std::move(lock)));
  if (is_new) return run;
  FACEGATE_ASSIGN_OR_RETURN(const std::string frozen, ReadRunRecipe(path));
  run->is_frozen_ = true;
  run->changes_ = RecipeChanges(frozen, recipe, defaults);
  FACEGATE_ASSIGN_OR_RETURN(const auto checkpoints, run->Checkpoints());
  run->has_learned_ = !checkpoints.empty() || fs::exists(run->File(kBest), error) ||
                      fs::exists(run->File(kModel), error);
  if (run->has_learned_) FACEGATE_RETURN_IF_ERROR(CheckMayChange(path, run->changes_));
  return run;
}

Status RunDirectory::Freeze() {
  std::error_code error;
  fs::create_directories(fs::path(path_) / kCheckpoints, error);
  if (error) {
    return FailedPrecondition(fmt::format("cannot write to {}: {}", path_, error.message()));
  }
  if (is_frozen_ && changes_.empty()) return OkStatus();
  if (is_frozen_ && !has_learned_) FACEGATE_RETURN_IF_ERROR(Clear());
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(File(kRecipe), recipe_));
  is_frozen_ = true;
  return OkStatus();
}

Status RunDirectory::Clear() const {
  std::error_code error;
  std::vector<fs::path> left;
  for (const auto& entry : fs::directory_iterator(path_, error)) {
    if (IsLeftBehind(entry.path().filename().string())) left.push_back(entry.path());
  }
  for (const fs::path& file : left) {
    if (!error) fs::remove(file, error);
  }
  if (!error) return OkStatus();
  return FailedPrecondition(fmt::format("cannot clear {}: {}", path_, error.message()));
}

std::string RunDirectory::CheckpointPath(int64_t batches) const {
  return fmt::format("{}/{}/{}{:09d}{}", path_, kCheckpoints, kPrefix, batches, kSuffix);
}

StatusOr<std::vector<RunDirectory::Checkpoint>> RunDirectory::Checkpoints() const {
  std::vector<Checkpoint> all;
  std::error_code error;
  if (!fs::exists(fs::path(path_) / kCheckpoints, error)) return all;
  for (const auto& entry : fs::directory_iterator(fs::path(path_) / kCheckpoints, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    const char* const begin = name.data() + kPrefix.size();
    const char* const end = name.data() + name.size() - kSuffix.size();
    Checkpoint one{.path = entry.path().string()};
    const auto [stop, bad] = std::from_chars(begin, end, one.batches);
    if (bad == std::errc() && stop == end && one.batches > 0) all.push_back(std::move(one));
  }
  if (error) return FailedPrecondition(fmt::format("cannot read {}: {}", path_, error.message()));
  std::sort(all.begin(), all.end(),
            [](const Checkpoint& a, const Checkpoint& b) { return a.batches > b.batches; });
  return all;
}

Status RunDirectory::Prune(size_t keep) const {
  FACEGATE_ASSIGN_OR_RETURN(const auto all, Checkpoints());
  for (size_t i = keep; i < all.size(); ++i) {
    std::error_code error;
    fs::remove(all[i].path, error);
    if (error) {
      return FailedPrecondition(fmt::format("cannot remove {}: {}", all[i].path, error.message()));
    }
  }
  return OkStatus();
}

}  // namespace facegate
