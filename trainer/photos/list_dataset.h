#pragma once

#include <memory>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "trainer/photos/dataset_format.h"
#include "trainer/photos/image_list.h"
#include "trainer/photos/photo_source.h"

// The format of sets that a text file lists; see ReadImageList().
namespace facegate {

// Takes any text: formats with marks of their own come before it. Text with a mark of UTF-16 is
// one that ReadListText() refuses by name.
std::optional<std::string> SniffList(const DatasetCandidate& candidate);

// Paths in the list are relative to `root`, or, where that is empty, to the list's own folder.
// kInvalidArgument where not one photo is there, whatever `missing` says.
StatusOr<std::unique_ptr<PhotoSource>> OpenListSource(const std::string& path,
                                                      const std::string& root,
                                                      MissingPhotos missing);

// What OpenListSource() does once the photos of the list at `path` were looked for in `base`.
StatusOr<std::unique_ptr<PhotoSource>> OpenListed(const std::string& path, const std::string& base,
                                                  MissingPhotos missing, ImageList list);

}  // namespace facegate
