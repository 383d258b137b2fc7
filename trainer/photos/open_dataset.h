#pragma once

#include <memory>
#include <string>

#include "face/base/status.h"
#include "trainer/photos/dataset.h"
#include "trainer/photos/image_list.h"
#include "trainer/photos/photo_source.h"

namespace facegate {

enum class DatasetForm { kFolder, kList, kPack };

// A folder is one of an identity per folder; a file is a pack by its first bytes, else a list.
// kInvalidArgument, naming what it is and the way out, for a data set of another program and for
// other bytes that are not text; kNotFound where nothing is.
StatusOr<DatasetForm> FormOfDataset(const std::string& path);

// Says what becomes of photos that a list names and that are not there.
enum class MissingPhotos {
  kKeep,    // each is an error when it is read
  kRefuse,  // kInvalidArgument, naming the first few
  kSkip     // they are left out, with a remark
};

// The list at `path` or of its folders; paths in a list are relative to `root`, or, where that is
// empty, to the list's own folder. kInvalidArgument for a pack, and where not one photo of a list
// is there, whatever `missing` says.
StatusOr<ImageList> OpenImageList(const std::string& path, const std::string& root,
                                  MissingPhotos missing = MissingPhotos::kKeep);

// Any of the three forms, told apart by FormOfDataset(). `root` and `missing` are for lists alone.
StatusOr<std::unique_ptr<PhotoSource>> OpenPhotoSource(
    const std::string& path, const std::string& root, MissingPhotos missing = MissingPhotos::kKeep);
StatusOr<std::unique_ptr<Dataset>> OpenDataset(const std::string& path, const std::string& root,
                                               MissingPhotos missing = MissingPhotos::kKeep);

}  // namespace facegate
