#pragma once

#include <memory>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "trainer/photos/dataset_format.h"
#include "trainer/photos/photo_source.h"

// The formats of zip and tar archives of a folder with a folder for each identity; see
// zip_archive.h and tar_archive.h.
namespace facegate {

std::optional<std::string> SniffZip(const DatasetCandidate& candidate);
std::optional<std::string> SniffTar(const DatasetCandidate& candidate);

// The photos of an archive, read where they lie: it is mapped, not unpacked, and must not be
// shortened while it is open. The folder that holds a photo is its identity, at whatever depth;
// folders of one name in different places are different identities. The order is that of names, as
// when a folder is read, and so is the choice of what is a photo. Of files of one name the last one
// counts. Takes no notice of `root` and `missing`. kInvalidArgument where no folder has a photo.
StatusOr<std::unique_ptr<PhotoSource>> OpenZipSource(const std::string& path,
                                                     const std::string& root,
                                                     MissingPhotos missing);
StatusOr<std::unique_ptr<PhotoSource>> OpenTarSource(const std::string& path,
                                                     const std::string& root,
                                                     MissingPhotos missing);

}  // namespace facegate
