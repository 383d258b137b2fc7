#include "trainer/photos/list_dataset.h"

#include <fmt/format.h>

#include <filesystem>
#include <string_view>
#include <utility>
#include <vector>

#include "face/base/counted.h"
#include "trainer/photos/image_list.h"
#include "trainer/photos/photo_finder.h"
#include "trainer/photos/shown_name.h"

namespace facegate {
namespace {

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
                                     list.missing.size(), ShownName(list.missing.front().second)));
  list.images = std::move(images);
  list.classes = std::move(classes);
  list.missing.clear();
}

Status TreatMissing(const std::string& path, const std::string& base, MissingPhotos rule,
                    ImageList& list) {
  if (list.missing.empty()) return OkStatus();
  const bool all = list.missing.size() == list.images.size();
  if (!all && rule == MissingPhotos::kSkip) SkipMissing(list);
  if (!all && rule == MissingPhotos::kKeep) {
    list.remarks.push_back(fmt::format("missing: {} of {} {} not there, such as {}",
                                       list.missing.size(), CountedPhotos(list.images.size()),
                                       list.missing.size() == 1 ? "is" : "are",
                                       ShownName(list.missing.front().second)));
  }
  if (!all && rule != MissingPhotos::kRefuse) return OkStatus();
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

std::optional<std::string> SniffList(const DatasetCandidate& candidate) {
  const std::string_view start = candidate.start;
  const bool is_text = start.find('\0') == std::string_view::npos ||
                       start.starts_with("\xff\xfe") || start.starts_with("\xfe\xff");
  if (candidate.is_folder || !is_text) return std::nullopt;
  return "is a list";
}

StatusOr<std::unique_ptr<PhotoSource>> OpenListSource(const std::string& path,
                                                      const std::string& root,
                                                      MissingPhotos missing) {
  const std::string base = root.empty() ? std::filesystem::path(path).parent_path().string() : root;
  FACEGATE_ASSIGN_OR_RETURN(ImageList list, ReadImageList(path, base));
  return OpenListed(path, base, missing, std::move(list));
}

StatusOr<std::unique_ptr<PhotoSource>> OpenListed(const std::string& path, const std::string& base,
                                                  MissingPhotos missing, ImageList list) {
  FACEGATE_RETURN_IF_ERROR(TreatMissing(path, base, missing, list));
  return MakeListSource(std::move(list), base);
}

}  // namespace facegate
