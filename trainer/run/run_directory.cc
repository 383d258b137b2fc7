#include "trainer/run/run_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <fmt/ranges.h>
#include <sys/file.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <filesystem>
#include <map>
#include <string_view>
#include <system_error>
#include <utility>

#include "face/base/file.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr char kRecipe[] = "recipe.yaml";
constexpr char kCheckpoints[] = "checkpoints";
constexpr std::string_view kPrefix = "batch-";
constexpr std::string_view kSuffix = ".safetensors";
constexpr uint64_t kMostRecipeBytes = 1 << 20;

// What a folder may hold before a run begins in it: what the caller's shell may have put there.
bool MayHoldRun(const fs::path& path) {
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(path, error)) {
    const std::string name = entry.path().filename().string();
    if (name != ".lock" && !name.ends_with(".log")) return false;
  }
  return !error;
}

// The values of a rendered recipe by "section.key".
std::map<std::string, std::string> ValuesOf(std::string_view yaml) {
  std::map<std::string, std::string> values;
  std::string section;
  while (!yaml.empty()) {
    const size_t end = std::min(yaml.find('\n'), yaml.size());
    const std::string_view line = yaml.substr(0, end);
    yaml.remove_prefix(std::min(end + 1, yaml.size()));
    const size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (line.starts_with("  ")) {
      values[fmt::format("{}.{}", section, line.substr(2, colon - 2))] = line.substr(colon + 1);
    } else {
      section = line.substr(0, colon);
    }
  }
  return values;
}

struct Recipes {
  const std::string& frozen;
  const std::string& asked;
  const std::string& defaults;
};

Status CheckSame(const std::string& path, const Recipes& recipes) {
  // What a run of an earlier version does not know is as it was then.
  auto before = ValuesOf(recipes.defaults);
  for (auto& [key, value] : ValuesOf(recipes.frozen)) before[key] = value;
  std::vector<std::string> other;
  for (const auto& [key, value] : ValuesOf(recipes.asked)) {
    if (before[key] != value) other.push_back(fmt::format("{}:{}", key, value));
  }
  if (other.empty()) return OkStatus();
  return FailedPrecondition(
      fmt::format("{} was begun with another recipe (now {}); go on without --recipe and --set, or "
                  "begin another run",
                  path, fmt::join(other, "; ")));
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
  if (error) return FailedPrecondition(fmt::format("cannot make {}: {}", path, error.message()));
  const std::string lock_path = path + "/.lock";
  const bool is_new = !fs::exists(fs::path(path) / kRecipe, error);
  if (is_new && !MayHoldRun(path)) {
    return FailedPrecondition(
        fmt::format("{} holds other files and no run; name a new folder", path));
  }
  const int lock = ::open(lock_path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (lock < 0) {
    return FailedPrecondition(fmt::format("cannot write to {}: {}", path, std::strerror(errno)));
  }
  std::unique_ptr<RunDirectory> run(new RunDirectory(path, lock));
  if (::flock(lock, LOCK_EX | LOCK_NB) != 0) {
    return FailedPrecondition(fmt::format("another process trains in {}", path));
  }
  fs::create_directories(fs::path(path) / kCheckpoints, error);
  if (error)
    return FailedPrecondition(fmt::format("cannot write to {}: {}", path, error.message()));
  if (is_new) {
    FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(run->File(kRecipe), recipe));
    return run;
  }
  FACEGATE_ASSIGN_OR_RETURN(const std::string frozen, ReadRunRecipe(path));
  FACEGATE_RETURN_IF_ERROR(CheckSame(path, {frozen, recipe, defaults}));
  return run;
}

RunDirectory::~RunDirectory() { ::close(lock_); }

std::string RunDirectory::CheckpointPath(int64_t batches) const {
  return fmt::format("{}/{}/{}{:09d}{}", path_, kCheckpoints, kPrefix, batches, kSuffix);
}

StatusOr<std::vector<RunDirectory::Checkpoint>> RunDirectory::Checkpoints() const {
  std::vector<Checkpoint> all;
  std::error_code error;
  for (const auto& entry : fs::directory_iterator(fs::path(path_) / kCheckpoints, error)) {
    const std::string name = entry.path().filename().string();
    if (!name.starts_with(kPrefix) || !name.ends_with(kSuffix)) continue;
    const char* const begin = name.data() + kPrefix.size();
    const char* const end = name.data() + name.size() - kSuffix.size();
    Checkpoint one{.path = entry.path().string()};
    const auto [stop, bad] = std::from_chars(begin, end, one.batches);
    if (bad == std::errc() && stop == end) all.push_back(std::move(one));
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
