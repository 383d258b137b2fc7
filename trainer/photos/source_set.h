#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/open_dataset.h"
#include "trainer/photos/photo_source.h"

namespace facegate {

// Identities of all sources, in the order of the sources; labels of the second come after those of
// the first. A name that several sources have gets the name of its source in front
// ("casia/0000045").
struct MergedIdentities {
  struct Identity {
    size_t source = 0;
    std::string name{};
    std::vector<size_t> photos{};  // numbers in the source
  };
  std::vector<Identity> identities;  // those with photos
  size_t renamed = 0;
};
// `names` are what the sources are called, one for each.
MergedIdentities MergeIdentities(const std::vector<const PhotoSource*>& sources,
                                 const std::vector<std::string>& names);

// Several sets that are read as one, an identity after another.
struct SourceSet {
  std::vector<std::unique_ptr<PhotoSource>> sources;
  MergedIdentities merged;
  size_t photos = 0;
  std::vector<std::string> remarks;  // how the sources were read, a line each
};
// Opens one source or more as OpenPhotoSource() does, whose errors are returned.
StatusOr<SourceSet> OpenSourceSet(const std::vector<std::string>& paths,
                                  const std::string& list_root, MissingPhotos missing);

}  // namespace facegate
