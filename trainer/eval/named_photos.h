#pragma once

#include <cstddef>
#include <memory>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/image/image.h"

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

// The photos of each source, one source after the other:
//   a folder      all pictures in it and below (by the endings of ReadImageFolder()), in the order
//                 of names; a photo is called by its path in the folder
//   a pack        in its order, by its names
//   a picture     a file with one of those endings, by its path as it was given
//   a text file   a photo in each line; its name is the line, a path relative to `root`, or, where
//                 that is empty, to the file's own folder
// kInvalidArgument when there is none, when a name comes twice or has a line break.
StatusOr<std::unique_ptr<NamedPhotos>> OpenNamedPhotos(const std::vector<std::string>& sources,
                                                       const std::string& root);

}  // namespace facegate
