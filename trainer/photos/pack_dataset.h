#pragma once

#include <memory>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "trainer/photos/dataset.h"
#include "trainer/photos/dataset_format.h"
#include "trainer/photos/photo_source.h"

namespace facegate {

std::optional<std::string> SniffPack(const DatasetCandidate& candidate);

// The photos of a pack (trainer/FORMAT.md), read where they lie: the file is mapped, not loaded,
// and must not be shortened while it is open. It takes no notice of `root` and `missing`. Opening
// checks the header, the index, the names and the footer; reading a photo checks its record, and an
// error names pack and photo.
// kInvalidArgument for what is no pack or of a later version, kDataLoss for a damaged one.
StatusOr<std::unique_ptr<PhotoSource>> OpenPackSource(const std::string& path,
                                                      const std::string& root = {},
                                                      MissingPhotos missing = MissingPhotos::kKeep);

// Reads all of a pack. The digest that its footer has, in hexadecimal; kDataLoss when the bytes
// have another one.
StatusOr<std::string> CheckPackDigest(const std::string& path);

}  // namespace facegate
