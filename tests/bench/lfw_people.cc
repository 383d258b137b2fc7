#include "tests/bench/lfw_people.h"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

namespace facegate {
namespace {

namespace fs = std::filesystem;

StatusOr<std::vector<fs::path>> SortedEntries(const fs::path& folder) {
  std::error_code failure;
  std::vector<fs::path> paths;
  for (fs::directory_iterator it(folder, failure), end; !failure && it != end;
       it.increment(failure)) {
    paths.push_back(it->path());
  }
  if (failure) return NotFound(fmt::format("{}: {}", folder.string(), failure.message()));
  std::sort(paths.begin(), paths.end());
  return paths;
}

}  // namespace

StatusOr<std::vector<LfwPerson>> ReadLfwPeople(const fs::path& photos, size_t limit) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<fs::path> folders, SortedEntries(photos));
  std::vector<LfwPerson> people;
  for (const fs::path& folder : folders) {
    if (limit != 0 && people.size() == limit) break;
    if (!fs::is_directory(folder)) continue;
    FACEGATE_ASSIGN_OR_RETURN(std::vector<fs::path> files, SortedEntries(folder));
    std::erase_if(files, [](const fs::path& file) { return file.extension() != ".jpg"; });
    if (files.size() < 2) continue;
    people.push_back({folder.filename().string(), files.front(),
                      std::vector<fs::path>(files.begin() + 1, files.end())});
  }
  if (people.empty()) {
    return NotFound(fmt::format("{} holds nobody with two or more photos", photos.string()));
  }
  return people;
}

}  // namespace facegate
