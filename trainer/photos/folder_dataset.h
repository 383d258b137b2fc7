#pragma once

#include <memory>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "trainer/photos/dataset_format.h"
#include "trainer/photos/photo_source.h"

// The format of sets with a folder for each identity; see ReadImageFolder().
namespace facegate {

std::optional<std::string> SniffFolder(const DatasetCandidate& candidate);

// Takes no notice of `root` and `missing`. A folder without photos is refused as what it is, where
// ForeignDatasetAdvice() knows.
StatusOr<std::unique_ptr<PhotoSource>> OpenFolderSource(const std::string& path,
                                                        const std::string& root,
                                                        MissingPhotos missing);

}  // namespace facegate
