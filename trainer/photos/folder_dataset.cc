#include "trainer/photos/folder_dataset.h"

#include <fmt/format.h>

#include <utility>

#include "trainer/photos/image_list.h"

namespace facegate {

std::optional<std::string> SniffFolder(const DatasetCandidate& candidate) {
  if (!candidate.is_folder) return std::nullopt;
  return "is a folder";
}

StatusOr<std::unique_ptr<PhotoSource>> OpenFolderSource(const std::string& path,
                                                        const std::string& /*root*/,
                                                        MissingPhotos /*missing*/) {
  StatusOr<ImageList> list = ReadImageFolder(path);
  if (list.ok()) return MakeListSource(*std::move(list), path);
  const std::optional<std::string> advice = ForeignDatasetAdvice(path);
  return advice.has_value() ? InvalidArgument(fmt::format("{} {}", path, *advice)) : list.status();
}

}  // namespace facegate
