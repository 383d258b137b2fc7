#pragma once

#include <memory>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "trainer/photos/dataset_format.h"
#include "trainer/photos/photo_source.h"

// The format of MNIST and of sets that are published like it: a file of pictures and one of labels;
// see idx_file.h.
namespace facegate {

// A file "train-images-idx3-ubyte" or "t10k-images-idx3-ubyte", with or without ".gz" behind, or a
// folder with the first and without folders of photos.
std::optional<std::string> SniffDigits(const DatasetCandidate& candidate);

// The pictures of the file, or of the training half in a folder, as grey PNGs without loss. Takes
// no notice of `root` and `missing`. Errors are those of ReadDigits().
StatusOr<std::unique_ptr<PhotoSource>> OpenDigitSource(const std::string& path,
                                                       const std::string& root,
                                                       MissingPhotos missing);

}  // namespace facegate
