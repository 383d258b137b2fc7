#include "trainer/photos/open_dataset.h"

#include <utility>

#include "trainer/photos/dataset_format.h"

namespace facegate {

StatusOr<std::unique_ptr<PhotoSource>> OpenPhotoSource(const std::string& path,
                                                       const std::string& root,
                                                       MissingPhotos missing) {
  FACEGATE_ASSIGN_OR_RETURN(const DatasetFormat* const format, FormatOfDataset(path));
  return format->open(path, root, missing);
}

StatusOr<std::unique_ptr<Dataset>> OpenDataset(const std::string& path, const std::string& root,
                                               MissingPhotos missing) {
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<PhotoSource> source,
                            OpenPhotoSource(path, root, missing));
  return MakeDecodedDataset(std::move(source));
}

}  // namespace facegate
