#include "trainer/align/output_place.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "trainer/photos/photo_files.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kPack = ".pack";

// Without a slash at its end, and with links followed as far as there is anything.
fs::path Canonical(const std::string& path) {
  std::error_code error;
  // Of a relative path nothing of which is there weakly_canonical() makes no whole one.
  const fs::path whole = WholePath(path);
  const fs::path found = fs::weakly_canonical(whole, error);
  return error ? whole : found;
}

// True of the folder itself, too.
bool LiesIn(const std::string& path, const std::string& folder) {
  const fs::path inner = Canonical(path);
  const fs::path outer = Canonical(folder);
  return std::mismatch(outer.begin(), outer.end(), inner.begin(), inner.end()).first == outer.end();
}

// "faces" for "faces/".
std::string WithoutSlash(std::string path) {
  while (path.size() > 1 && path.ends_with('/')) path.pop_back();
  return path;
}

}  // namespace

OutputPlace OutputPlace::Of(const std::string& out, const std::string& quarantine) {
  OutputPlace place{.out = WithoutSlash(out)};
  place.is_pack = place.out.ends_with(kPack);
  place.folder = place.is_pack ? place.out + ".align" : place.out;
  place.quarantine = quarantine.empty() ? place.out + ".quarantine" : WithoutSlash(quarantine);
  return place;
}

Status CheckPlace(const OutputPlace& place, std::span<const std::string> sources) {
  std::error_code error;
  if (place.out.empty()) return RefuseField("OUT", "is empty");
  if (place.is_pack && fs::is_directory(place.out, error)) {
    return RefuseField("OUT", fmt::format("{} is a folder; a pack is a file", place.out));
  }
  if (!place.is_pack && fs::exists(place.out, error) && !fs::is_directory(place.out, error)) {
    return RefuseField("OUT",
                       fmt::format("{} is a file; expected a folder, or NAME.pack", place.out));
  }
  const bool has_quarantine = !place.quarantine.empty();
  if (has_quarantine && LiesIn(place.quarantine, place.folder)) {
    return RefuseField("--quarantine",
                       fmt::format("{} lies in {}, where its photos would be taken for crops",
                                   place.quarantine, place.folder));
  }
  for (const std::string& source : sources) {
    if (!fs::is_directory(source, error)) continue;
    for (const std::string& folder : {place.folder, place.quarantine}) {
      if (folder.empty() || !LiesIn(folder, source)) continue;
      return RefuseField("OUT", fmt::format("{} lies in {}, where it would be taken for photos; "
                                            "give a place beside it",
                                            folder, source));
    }
  }
  return OkStatus();
}

bool IsUnused(const std::string& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    if (entry->path().filename() != ".unfinished") return false;
  }
  return !error || error == std::errc::no_such_file_or_directory;
}

Status CheckUnused(const OutputPlace& place, bool use_quarantine) {
  std::error_code error;
  if (place.is_pack && fs::exists(place.out, error)) {
    return FailedPrecondition(fmt::format("{} exists; give another OUT", place.out));
  }
  if (!IsUnused(place.folder)) {
    return FailedPrecondition(fmt::format(
        "{} is not empty and holds nothing that align began; give another OUT", place.folder));
  }
  if (use_quarantine && !IsUnused(place.quarantine)) {
    return FailedPrecondition(
        fmt::format("{} is not empty; give another --quarantine", place.quarantine));
  }
  return OkStatus();
}

}  // namespace facegate
