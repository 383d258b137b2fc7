#include "trainer/eval/named_photos.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <filesystem>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "face/base/file.h"
#include "face/image/decode.h"
#include "trainer/data/open_dataset.h"
#include "trainer/data/text_lines.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr DecodeLimits kLimits{.max_bytes = kMaxTrainingPhotoBytes, .max_pixels = 200'000'000};
constexpr std::array<std::string_view, 7> kEndings = {".jpg", ".jpeg", ".png", ".webp",
                                                      ".bmp", ".ppm",  ".pgm"};

bool IsPicture(const fs::path& path) {
  std::string ending = path.extension().string();
  std::transform(ending.begin(), ending.end(), ending.begin(),
                 [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
  return std::find(kEndings.begin(), kEndings.end(), ending) != kEndings.end();
}

class FilePhotos final : public NamedPhotos {
 public:
  explicit FilePhotos(std::vector<NamedPhoto> photos) : photos_(std::move(photos)) {}

  size_t size() const override { return photos_.size(); }
  const std::string& name(size_t i) const override { return photos_[i].name; }
  StatusOr<Image> Load(size_t i) const override {
    const std::string& path = photos_[i].path;
    FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kLimits.max_bytes));
    StatusOr<Image> photo = DecodeImage(bytes, kLimits);
    if (!photo.ok()) return Annotate(photo.status(), path);
    return photo;
  }

 private:
  const std::vector<NamedPhoto> photos_;
};

// Identity and number are a photo's name: what a pack kept of its file's name need not be unique.
class PackPhotos final : public NamedPhotos {
 public:
  explicit PackPhotos(std::unique_ptr<PhotoSource> pack) : pack_(std::move(pack)) {
    names_.reserve(pack_->size());
    for (size_t i = 0; i < pack_->size(); ++i) {
      names_.push_back(fmt::format("{}/{:07}", pack_->classes()[pack_->label(i)], i));
    }
  }

  size_t size() const override { return names_.size(); }
  const std::string& name(size_t i) const override { return names_[i]; }
  StatusOr<Image> Load(size_t i) const override {
    FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, pack_->Read(i));
    StatusOr<Image> photo = DecodeImage(bytes, kLimits);
    if (!photo.ok()) return Annotate(photo.status(), pack_->name(i));
    return photo;
  }

 private:
  const std::unique_ptr<PhotoSource> pack_;
  std::vector<std::string> names_;
};

// One source after the other.
class JoinedPhotos final : public NamedPhotos {
 public:
  explicit JoinedPhotos(std::vector<std::unique_ptr<NamedPhotos>> parts)
      : parts_(std::move(parts)) {
    for (size_t part = 0; part < parts_.size(); ++part) {
      for (size_t i = 0; i < parts_[part]->size(); ++i) places_.emplace_back(part, i);
    }
  }

  size_t size() const override { return places_.size(); }
  const std::string& name(size_t i) const override {
    const auto& [part, place] = places_[i];
    return parts_[part]->name(place);
  }
  StatusOr<Image> Load(size_t i) const override {
    const auto& [part, place] = places_[i];
    return parts_[part]->Load(place);
  }

 private:
  const std::vector<std::unique_ptr<NamedPhotos>> parts_;
  std::vector<std::pair<size_t, size_t>> places_;
};

StatusOr<std::unique_ptr<NamedPhotos>> OpenFolder(const std::string& folder) {
  std::vector<NamedPhoto> photos;
  std::error_code error;
  fs::recursive_directory_iterator entry(folder, error);
  for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
    const fs::path& path = entry->path();
    std::error_code ignored;
    if (!IsPicture(path) || !entry->is_regular_file(ignored)) continue;
    photos.push_back(
        {.name = path.lexically_relative(folder).generic_string(), .path = path.string()});
  }
  if (error) {
    return FailedPrecondition(
        fmt::format("cannot read the folder {}: {}", folder, error.message()));
  }
  std::sort(photos.begin(), photos.end(),
            [](const NamedPhoto& a, const NamedPhoto& b) { return a.name < b.name; });
  return MakeFilePhotos(std::move(photos));
}

StatusOr<std::unique_ptr<NamedPhotos>> OpenLines(const std::string& path, const std::string& root) {
  FACEGATE_ASSIGN_OR_RETURN(std::vector<std::string> lines, ReadLines(path));
  const fs::path base = root.empty() ? fs::path(path).parent_path() : fs::path(root);
  std::vector<NamedPhoto> photos;
  photos.reserve(lines.size());
  for (std::string& line : lines) {
    std::string file = (base / line).string();
    photos.push_back({.name = std::move(line), .path = std::move(file)});
  }
  return MakeFilePhotos(std::move(photos));
}

StatusOr<std::unique_ptr<NamedPhotos>> OpenSource(const std::string& source,
                                                  const std::string& root) {
  std::error_code ignored;
  if (IsPicture(source) && !fs::is_directory(source, ignored)) {
    return MakeFilePhotos({{.name = source, .path = source}});
  }
  FACEGATE_ASSIGN_OR_RETURN(const DatasetForm form, FormOfDataset(source));
  if (form == DatasetForm::kFolder) return OpenFolder(source);
  if (form == DatasetForm::kList) return OpenLines(source, root);
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<PhotoSource> pack, OpenPhotoSource(source, root));
  return std::make_unique<PackPhotos>(std::move(pack));
}

Status CheckNames(const NamedPhotos& photos) {
  if (photos.size() == 0) return InvalidArgument("there are no photos");
  std::unordered_set<std::string_view> seen;
  for (size_t i = 0; i < photos.size(); ++i) {
    const std::string& name = photos.name(i);
    if (name.find_first_of("\r\n") != std::string::npos) {
      return InvalidArgument("a photo's name has a line break, which a list of names cannot hold");
    }
    if (!seen.insert(name).second) {
      return InvalidArgument(
          fmt::format("two photos are called {}; give a folder that holds both", name));
    }
  }
  return OkStatus();
}

}  // namespace

std::unique_ptr<NamedPhotos> MakeFilePhotos(std::vector<NamedPhoto> photos) {
  return std::make_unique<FilePhotos>(std::move(photos));
}

StatusOr<std::unique_ptr<NamedPhotos>> OpenNamedPhotos(const std::vector<std::string>& sources,
                                                       const std::string& root) {
  std::vector<std::unique_ptr<NamedPhotos>> parts;
  parts.reserve(sources.size());
  for (const std::string& source : sources) {
    FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<NamedPhotos> part, OpenSource(source, root));
    parts.push_back(std::move(part));
  }
  auto photos = std::make_unique<JoinedPhotos>(std::move(parts));
  FACEGATE_RETURN_IF_ERROR(CheckNames(*photos));
  return photos;
}

}  // namespace facegate
