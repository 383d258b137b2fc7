#include "trainer/photos/open_dataset.h"

#include <fmt/format.h>

#include <array>
#include <filesystem>
#include <fstream>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/counted.h"
#include "trainer/photos/foreign_dataset.h"
#include "trainer/photos/pack_dataset.h"
#include "trainer/photos/pack_format.h"
#include "trainer/photos/photo_finder.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

// The start of a file tells text from anything else by so many bytes.
constexpr size_t kLookedAt = 4096;

std::string RootOfList(const std::string& path, const std::string& root) {
  return root.empty() ? fs::path(path).parent_path().string() : root;
}

StatusOr<ImageList> OpenFolder(const std::string& path) {
  StatusOr<ImageList> list = ReadImageFolder(path);
  if (list.ok()) return list;
  const auto advice = ForeignDatasetAdvice(path);
  return advice.has_value() ? InvalidArgument(fmt::format("{} {}", path, *advice)) : list.status();
}

// Leaves the missing photos out, and the identities that had no others.
void SkipMissing(ImageList& list) {
  std::vector<bool> is_missing(list.images.size(), false);
  for (const auto& [image, name] : list.missing) is_missing[image] = true;
  std::vector<bool> is_used(list.classes.size(), false);
  std::vector<LabelledImage> images;
  images.reserve(list.images.size() - list.missing.size());
  for (size_t i = 0; i < list.images.size(); ++i) {
    if (is_missing[i]) continue;
    is_used[list.images[i].label] = true;
    images.push_back(std::move(list.images[i]));
  }
  std::vector<uint32_t> labels(list.classes.size(), 0);
  std::vector<std::string> classes;
  for (size_t label = 0; label < labels.size(); ++label) {
    if (!is_used[label]) continue;
    labels[label] = static_cast<uint32_t>(classes.size());
    classes.push_back(std::move(list.classes[label]));
  }
  for (LabelledImage& image : images) image.label = labels[image.label];
  list.remarks.push_back(fmt::format("left out: photos that are not there ({}, such as {})",
                                     list.missing.size(), list.missing.front().second));
  list.images = std::move(images);
  list.classes = std::move(classes);
  list.missing.clear();
}

StatusOr<ImageList> TreatMissing(const std::string& path, const std::string& base,
                                 MissingPhotos rule, ImageList list) {
  if (list.missing.empty()) return list;
  const bool all = list.missing.size() == list.images.size();
  if (!all && rule == MissingPhotos::kSkip) SkipMissing(list);
  if (!all && rule == MissingPhotos::kKeep) {
    list.remarks.push_back(fmt::format("missing: {} of {} {} not there, such as {}",
                                       list.missing.size(), CountedPhotos(list.images.size()),
                                       list.missing.size() == 1 ? "is" : "are",
                                       list.missing.front().second));
  }
  if (!all && rule != MissingPhotos::kRefuse) return list;
  std::vector<std::string> names;
  names.reserve(list.missing.size());
  for (const auto& [image, name] : list.missing) names.push_back(name);
  return InvalidArgument(
      fmt::format("{}: {}", path,
                  MissingPhotosMessage(names, list.images.size(), base,
                                       all ? "Paths in a list are relative to the list's folder, "
                                             "unless another root is given."
                                           : "--skip-missing leaves them out.")));
}

}  // namespace

StatusOr<DatasetForm> FormOfDataset(const std::string& path) {
  std::error_code error;
  const fs::file_status status = fs::status(path, error);
  if (!fs::exists(status)) return NotFound(fmt::format("{}: no such file or folder", path));
  if (fs::is_directory(status)) return DatasetForm::kFolder;
  if (!fs::is_regular_file(status)) {
    return InvalidArgument(fmt::format("{} is neither a file nor a folder", path));
  }
  std::array<char, kLookedAt> buffer{};
  std::ifstream file(path, std::ios::binary);
  if (!file) return FailedPrecondition(fmt::format("cannot open {}", path));
  file.read(buffer.data(), static_cast<std::streamsize>(buffer.size()));
  const std::string_view start(buffer.data(), static_cast<size_t>(file.gcount()));
  if (LooksLikePack(start)) return DatasetForm::kPack;
  if (const auto advice = ForeignDatasetAdvice(path); advice.has_value()) {
    return InvalidArgument(fmt::format("{} {}", path, *advice));
  }
  // A file with a mark of UTF-16 is text, which ReadListText() refuses by name.
  if (start.find('\0') != std::string_view::npos && !start.starts_with("\xff\xfe") &&
      !start.starts_with("\xfe\xff")) {
    return InvalidArgument(fmt::format(
        "{} is neither a list of photos (text) nor a pack made by facegate-train pack", path));
  }
  return DatasetForm::kList;
}

StatusOr<ImageList> OpenImageList(const std::string& path, const std::string& root,
                                  MissingPhotos missing) {
  FACEGATE_ASSIGN_OR_RETURN(const DatasetForm form, FormOfDataset(path));
  switch (form) {
    case DatasetForm::kFolder:
      return OpenFolder(path);
    case DatasetForm::kList: {
      const std::string base = RootOfList(path, root);
      FACEGATE_ASSIGN_OR_RETURN(ImageList list, ReadImageList(path, base));
      return TreatMissing(path, base, missing, std::move(list));
    }
    case DatasetForm::kPack:
      break;
  }
  return InvalidArgument(fmt::format("{} is a pack; expected a folder or a list", path));
}

StatusOr<std::unique_ptr<PhotoSource>> OpenPhotoSource(const std::string& path,
                                                       const std::string& root,
                                                       MissingPhotos missing) {
  FACEGATE_ASSIGN_OR_RETURN(const DatasetForm form, FormOfDataset(path));
  if (form == DatasetForm::kPack) return OpenPackSource(path);
  FACEGATE_ASSIGN_OR_RETURN(ImageList list, OpenImageList(path, root, missing));
  return MakeListSource(std::move(list),
                        form == DatasetForm::kFolder ? path : RootOfList(path, root));
}

StatusOr<std::unique_ptr<Dataset>> OpenDataset(const std::string& path, const std::string& root,
                                               MissingPhotos missing) {
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<PhotoSource> source,
                            OpenPhotoSource(path, root, missing));
  return MakeDecodedDataset(std::move(source));
}

}  // namespace facegate
