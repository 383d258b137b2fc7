#include "trainer/photos/photo_finder.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "face/base/counted.h"
#include "face/image/system_name.h"
#include "trainer/photos/photo_files.h"
#include "trainer/photos/shown_name.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr size_t kShown = 5;

bool IsFile(const std::string& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

// "C:\photos\a.jpg" or "C:/photos/a.jpg".
bool HasDriveLetter(const std::string& name) {
  const auto is_letter = [](char sign) {
    return (sign >= 'A' && sign <= 'Z') || (sign >= 'a' && sign <= 'z');
  };
  return name.size() > 2 && is_letter(name[0]) && name[1] == ':' &&
         (name[2] == '\\' || name[2] == '/');
}

std::string WithSlashes(std::string name) {
  std::replace(name.begin(), name.end(), '\\', '/');
  return name;
}

// The name without the ending of a picture; other endings belong to the name.
std::string Stem(const std::string& name) {
  return HasPictureEnding(name) ? name.substr(0, name.find_last_of('.')) : name;
}

}  // namespace

std::string PhotoFinder::PathOf(const std::string& name) const {
  return (fs::path(root_) / name).string();
}

std::optional<std::string> PhotoFinder::FindExactly(const std::string& name) const {
  if (name.empty()) return std::nullopt;
  std::string path = PathOf(name);
  if (IsFile(path)) return path;
  if (name.find('\\') == std::string::npos) return std::nullopt;
  path = PathOf(WithSlashes(name));
  return IsFile(path) ? std::optional(path) : std::nullopt;
}

std::optional<std::string> PhotoFinder::Find(const std::string& name) {
  if (std::optional<std::string> exact = FindExactly(name); exact.has_value() || name.empty()) {
    return exact;
  }
  for (const std::string& written : {name, WithSlashes(name)}) {
    const fs::path path = PathOf(written);
    const std::string folder = path.parent_path().string();
    const Folder& pictures = PicturesIn(folder);
    const auto found = pictures.find(Stem(path.filename().string()));
    if (found != pictures.end()) return (fs::path(folder) / found->second.front()).string();
  }
  return std::nullopt;
}

std::optional<std::string> PhotoFinder::FindName(const std::string& name) {
  const std::optional<std::string> path = Find(name);
  if (!path.has_value()) return std::nullopt;
  const std::string prefix = (fs::path(root_) / "").string();
  const bool below = !root_.empty() && !fs::path(name).is_absolute() && path->starts_with(prefix);
  return below ? path->substr(prefix.size()) : *path;
}

const PhotoFinder::Folder& PhotoFinder::PicturesIn(const std::string& folder) {
  const auto [at, is_new] = folders_.try_emplace(folder);
  if (!is_new) return at->second;
  const auto names = NamesInFolder(folder.empty() ? "." : folder);
  if (!names.ok()) return at->second;
  for (const std::string& name : *names) {
    if (!IsSystemName(name) && HasPictureEnding(name)) at->second[Stem(name)].push_back(name);
  }
  return at->second;
}

std::string MissingPhotosMessage(const std::vector<std::string>& names, size_t of,
                                 const std::string& root, const std::string& advice) {
  std::string message =
      fmt::format("{} of {} {} not there, and no picture with another ending is:", names.size(),
                  CountedPhotos(of), names.size() == 1 ? "is" : "are");
  for (size_t i = 0; i < names.size() && i < kShown; ++i) message += "\n  " + ShownName(names[i]);
  if (names.size() > kShown) message += fmt::format("\n  and {} more", names.size() - kShown);
  if (std::any_of(names.begin(), names.end(), HasDriveLetter)) {
    message +=
        "\nPaths with a drive letter are those of a Windows machine; write them relative "
        "to a folder.";
  }
  message += fmt::format("\nThey were looked for in {}. {}", root.empty() ? "." : root, advice);
  return message;
}

}  // namespace facegate
