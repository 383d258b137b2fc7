#include "trainer/photos/source_set.h"

#include <fmt/format.h>

#include <filesystem>
#include <map>
#include <set>
#include <utility>

#include "trainer/photos/photo_files.h"

namespace facegate {
namespace {

using Identity = MergedIdentities::Identity;

// "faces" for "data/faces/", "casia" for "casia.pack".
std::string NameOfSource(const std::string& path) {
  const std::filesystem::path whole = WholePath(path);
  const std::filesystem::path last = whole.filename();
  return std::filesystem::is_directory(whole) ? last.string() : last.stem().string();
}

}  // namespace

MergedIdentities MergeIdentities(const std::vector<const PhotoSource*>& sources,
                                 const std::vector<std::string>& names) {
  std::map<std::string, size_t> uses;
  for (const PhotoSource* source : sources) {
    for (const std::string& name : source->classes()) ++uses[name];
  }
  MergedIdentities merged;
  std::set<std::string> taken;
  for (size_t s = 0; s < sources.size(); ++s) {
    const PhotoSource& source = *sources[s];
    const size_t first = merged.identities.size();
    for (const std::string& name : source.classes()) {
      const bool shared = uses[name] > 1;
      std::string own = shared ? names[s] + "/" + name : name;
      // Sources may have the same name, and names may hold slashes themselves.
      for (size_t n = 2; !taken.insert(own).second; ++n) {
        own = fmt::format("{}#{}/{}", names[s], n, name);
      }
      if (own != name) ++merged.renamed;
      merged.identities.push_back({.source = s, .name = std::move(own), .photos = {}});
    }
    for (size_t i = 0; i < source.size(); ++i) {
      merged.identities[first + source.label(i)].photos.push_back(i);
    }
  }
  std::erase_if(merged.identities, [](const Identity& one) { return one.photos.empty(); });
  return merged;
}

StatusOr<SourceSet> OpenSourceSet(const std::vector<std::string>& paths,
                                  const std::string& list_root, MissingPhotos missing) {
  SourceSet set;
  std::vector<const PhotoSource*> views;
  std::vector<std::string> names;
  for (const std::string& path : paths) {
    FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<PhotoSource> source,
                              OpenPhotoSource(path, list_root, missing));
    for (const std::string& remark : source->remarks()) {
      set.remarks.push_back(fmt::format("{}: {}", path, remark));
    }
    set.photos += source->size();
    names.push_back(NameOfSource(path));
    views.push_back(source.get());
    set.sources.push_back(std::move(source));
  }
  set.merged = MergeIdentities(views, names);
  return set;
}

}  // namespace facegate
