#pragma once

#include <memory>
#include <string>

#include "face/base/status.h"
#include "trainer/data/dataset.h"
#include "trainer/data/image_list.h"
#include "trainer/data/photo_source.h"

namespace facegate {

enum class DatasetForm { kFolder, kList, kPack };

// A folder is one of an identity per folder; a file is a pack by its first bytes, else a list.
// kInvalidArgument for a file of bytes that are no text, kNotFound where nothing is.
StatusOr<DatasetForm> FormOfDataset(const std::string& path);

// The list at `path` or of its folders; paths in a list are relative to `root`, or, where that is
// empty, to the list's own folder. kInvalidArgument for a pack.
StatusOr<ImageList> OpenImageList(const std::string& path, const std::string& root);

// Any of the three forms, told apart by FormOfDataset(). `root` is for lists alone.
StatusOr<std::unique_ptr<PhotoSource>> OpenPhotoSource(const std::string& path,
                                                       const std::string& root);
StatusOr<std::unique_ptr<Dataset>> OpenDataset(const std::string& path, const std::string& root);

}  // namespace facegate
