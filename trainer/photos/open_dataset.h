#pragma once

#include <memory>
#include <string>

#include "face/base/status.h"
#include "trainer/photos/dataset.h"
#include "trainer/photos/photo_source.h"

namespace facegate {

// A set of photos in any format of DatasetFormats() that is read here, told apart by what is at
// `path`. `root`, which the paths of a list are relative to, and `missing` are for lists alone.
// Errors are those of FormatOfDataset() and of the format.
StatusOr<std::unique_ptr<PhotoSource>> OpenPhotoSource(
    const std::string& path, const std::string& root, MissingPhotos missing = MissingPhotos::kKeep);
StatusOr<std::unique_ptr<Dataset>> OpenDataset(const std::string& path, const std::string& root,
                                               MissingPhotos missing = MissingPhotos::kKeep);

}  // namespace facegate
