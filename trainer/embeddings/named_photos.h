#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/image/image.h"
#include "trainer/photos/dataset.h"
#include "trainer/photos/open_dataset.h"

namespace facegate {

// Photos in an order, each with a name of its own. Thread-safe: all calls are const.
class NamedPhotos {
 public:
  virtual ~NamedPhotos() = default;

  virtual size_t size() const = 0;
  virtual const std::string& name(size_t i) const = 0;
  // The decoded photo. An error names it.
  virtual StatusOr<Image> Load(size_t i) const = 0;
};

struct NamedPhoto {
  std::string name;
  std::string path;
};
std::unique_ptr<NamedPhotos> MakeFilePhotos(std::vector<NamedPhoto> photos);

// The pictures of a set, each by the name of the same place in `names`.
std::unique_ptr<NamedPhotos> MakePicturePhotos(std::shared_ptr<const Dataset> pictures,
                                               std::vector<std::string> names);

// The photos that OpenNamedPhotos() found.
struct FoundPhotos {
  std::unique_ptr<NamedPhotos> photos;
  // Tells people how they were found and what was left out, a line each.
  std::vector<std::string> remarks;
};

// Opens the photos of each source, one source after the other:
//   a folder      all photos in it and below, as TakesPhoto() chooses them, in the order of names;
//                 a photo is called by its path in the folder
//   a pack        its photos in its order, by its names
//   a photo       itself, by its path as it was given
//   a text file   a photo in each line, alone or in a list as ReadImageList() takes it; its name is
//                 what the list calls it, a path relative to `root`, or, where that is empty, to
//                 the file's own folder. Photos that are not there are an error, which names the
//                 first few, unless `missing` is kSkip
// kInvalidArgument when there is none, when a name comes twice or has a line break.
StatusOr<FoundPhotos> OpenNamedPhotos(const std::vector<std::string>& sources,
                                      const std::string& root,
                                      MissingPhotos missing = MissingPhotos::kRefuse);

}  // namespace facegate
