#include "trainer/align/crop_names.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <map>
#include <system_error>
#include <utility>

#include "face/base/sha256.h"
#include "face/image/system_name.h"
#include "trainer/photos/files_digest.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

// File systems take 255 bytes; what is left is for numbers.
constexpr size_t kMostNameBytes = 200;
constexpr size_t kMostEndingBytes = 20;

// `text` without signs that no name of a file can have or that break lines, and not longer than
// `most` bytes; cut where a character of UTF-8 begins.
std::string Cleaned(std::string text, size_t most) {
  for (char& sign : text) {
    const auto code = static_cast<unsigned char>(sign);
    if (code < 0x20 || code == 0x7F || sign == '/' || sign == '\\') sign = '_';
  }
  if (text.size() <= most) return text;
  while (most > 0 && (static_cast<unsigned char>(text[most]) & 0xC0U) == 0x80U) --most;
  text.resize(most);
  return text;
}

// A name that readers of folders do not skip.
std::string VisibleName(std::string text) {
  const std::string name = Cleaned(std::move(text), kMostNameBytes);
  return name.empty() || IsSystemName(name) ? fmt::format("_{}", name) : name;
}

// Gives each name once.
class UniqueNames {
 public:
  std::string Take(const std::string& name) {
    size_t& uses = uses_[name];
    if (uses++ == 0) return name;
    std::string own = fmt::format("{}-{}", name, uses);
    while (uses_.contains(own)) own = fmt::format("{}-{}", name, ++uses);
    uses_[own] = 1;
    return own;
  }

 private:
  std::map<std::string, size_t> uses_;
};

// A file, or what is in a folder, in order.
std::vector<std::string> FilesAt(const std::string& path) {
  std::error_code error;
  if (!fs::is_directory(path, error)) return {path};
  std::vector<std::string> files;
  for (fs::directory_iterator entry(path, error), end; !error && entry != end;
       entry.increment(error)) {
    files.push_back(entry->path().string());
  }
  std::sort(files.begin(), files.end());
  return files;
}

}  // namespace

CropPlan PlanCrops(const SourceSet& set) {
  CropPlan plan;
  plan.photos.reserve(set.photos);
  Sha256 digest;
  UniqueNames folders;
  for (const std::string_view name : {kManifestName, kRecordName, kSheetName}) {
    folders.Take(std::string(name));
  }
  for (const MergedIdentities::Identity& identity : set.merged.identities) {
    digest.Update(fmt::format("{} {}\n", identity.photos.size(), identity.name));
    UniqueNames names;
    for (const size_t photo : identity.photos) {
      const std::string whole = set.sources[identity.source]->short_name(photo);
      digest.Update(whole + "\n");
      const fs::path file = fs::path(whole).filename();
      const std::string ending = file.extension().string();
      plan.photos.push_back({.source = identity.source,
                             .photo = photo,
                             .identity = plan.folders.size(),
                             .name = names.Take(VisibleName(file.stem().string())),
                             .ending = Cleaned(ending, kMostEndingBytes)});
    }
    plan.folders.push_back(folders.Take(VisibleName(identity.name)));
  }
  plan.digest = digest.HexDigest();
  return plan;
}

std::string SizesDigest(const SourceSet& set, const CropPlan& plan,
                        const std::vector<std::string>& paths) {
  std::vector<std::string> files;
  for (size_t i = 0; i < paths.size(); ++i) {
    if (set.sources[i]->has_files()) continue;
    for (std::string& file : FilesAt(paths[i])) files.push_back(std::move(file));
  }
  for (const PlannedPhoto& photo : plan.photos) {
    const PhotoSource& source = *set.sources[photo.source];
    if (source.has_files()) files.push_back(source.name(photo.photo));
  }
  return DigestOfFiles(files, FilesToldBy::kSizes);
}

}  // namespace facegate
