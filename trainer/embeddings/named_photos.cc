#include "trainer/embeddings/named_photos.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <iterator>
#include <optional>
#include <string_view>
#include <system_error>
#include <unordered_set>
#include <utility>

#include "face/image/decode.h"
#include "trainer/photos/dataset_format.h"
#include "trainer/photos/list_layout.h"
#include "trainer/photos/list_text.h"
#include "trainer/photos/photo_files.h"
#include "trainer/photos/photo_finder.h"
#include "trainer/photos/photo_source.h"
#include "trainer/photos/shown_name.h"
#include "trainer/photos/text_table.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr DecodeLimits kLimits{
    .max_bytes = kMaxTrainingPhotoBytes, .max_pixels = 200'000'000, .heif = true};

class FilePhotos final : public NamedPhotos {
 public:
  explicit FilePhotos(std::vector<NamedPhoto> photos) : photos_(std::move(photos)) {}

  size_t size() const override { return photos_.size(); }
  const std::string& name(size_t i) const override { return photos_[i].name; }
  StatusOr<Image> Load(size_t i) const override {
    const std::string& path = photos_[i].path;
    FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadPhotoFile(path));
    StatusOr<Image> photo = DecodeImage(bytes, kLimits);
    if (!photo.ok()) return Annotate(photo.status(), ShownName(path));
    return photo;
  }

 private:
  const std::vector<NamedPhoto> photos_;
};

class PicturePhotos final : public NamedPhotos {
 public:
  PicturePhotos(std::shared_ptr<const Dataset> pictures, std::vector<std::string> names)
      : pictures_(std::move(pictures)), names_(std::move(names)) {}

  size_t size() const override { return names_.size(); }
  const std::string& name(size_t i) const override { return names_[i]; }
  StatusOr<Image> Load(size_t i) const override {
    FACEGATE_ASSIGN_OR_RETURN(cv::Mat picture, pictures_->Load(i));
    return Image{.bgr = std::move(picture)};
  }

 private:
  const std::shared_ptr<const Dataset> pictures_;
  const std::vector<std::string> names_;
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

// Reads sources one after the other, and gathers what is to be said about them.
class SourceReader {
 public:
  SourceReader(const std::string& root, MissingPhotos missing) : root_(root), missing_(missing) {}

  StatusOr<std::unique_ptr<NamedPhotos>> Open(const std::string& source) {
    if (IsPhoto(source)) return MakeFilePhotos({{.name = source, .path = source}});
    FACEGATE_ASSIGN_OR_RETURN(const DatasetFormat* const format, FormatOfDataset(source));
    if (format->name == kFolderFormat) return OpenFolder(source);
    if (format->name == kListFormat) return OpenList(source);
    FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<PhotoSource> pack,
                              format->open(source, root_, missing_));
    return std::make_unique<PackPhotos>(std::move(pack));
  }

  std::vector<std::string> remarks() {
    std::vector<std::string> left_out = left_out_.Remarks();
    std::move(left_out.begin(), left_out.end(), std::back_inserter(remarks_));
    return std::move(remarks_);
  }

 private:
  // A file that was given by name is a photo also where only its ending says so: its fault shows
  // when it is read.
  static bool IsPhoto(const std::string& path) {
    std::error_code error;
    if (!fs::is_regular_file(path, error)) return false;
    const std::optional<ImageFormat> format = FormatOfFile(path);
    return HasPictureEnding(path) ||
           (format.has_value() && (IsDecodable(*format) || IsHeif(*format)));
  }

  StatusOr<std::unique_ptr<NamedPhotos>> OpenFolder(const std::string& folder) {
    std::vector<NamedPhoto> photos;
    std::error_code error;
    fs::recursive_directory_iterator entry(folder, error);
    for (; !error && entry != fs::recursive_directory_iterator(); entry.increment(error)) {
      const fs::path& path = entry->path();
      const std::string name = path.lexically_relative(folder).generic_string();
      if (SkipsSystemName(path.filename().string(), name, left_out_)) {
        entry.disable_recursion_pending();
        continue;
      }
      std::error_code ignored;
      if (!entry->is_regular_file(ignored)) continue;
      if (TakesPhoto(path.string(), name, left_out_)) {
        photos.push_back({.name = name, .path = path.string()});
      }
    }
    if (error) {
      return FailedPrecondition(
          fmt::format("cannot read the folder {}: {}", folder, error.message()));
    }
    if (photos.empty()) return NoPhotos(folder);
    std::sort(photos.begin(), photos.end(),
              [](const NamedPhoto& a, const NamedPhoto& b) { return a.name < b.name; });
    return MakeFilePhotos(std::move(photos));
  }

  Status NoPhotos(const std::string& folder) const {
    if (const auto advice = ForeignDatasetAdvice(folder); advice.has_value()) {
      return InvalidArgument(fmt::format("{} {}", folder, *advice));
    }
    std::string message = fmt::format("there are no photos in {}", folder);
    for (const std::string& remark : left_out_.Remarks()) message += "\n  " + remark;
    return InvalidArgument(message);
  }

  StatusOr<std::unique_ptr<NamedPhotos>> OpenList(const std::string& path) {
    FACEGATE_ASSIGN_OR_RETURN(const std::string text, ReadListText(path));
    const std::string base = root_.empty() ? fs::path(path).parent_path().string() : root_;
    PhotoFinder finder(base);
    const StatusOr<ListLayout> layout = LayoutOfList(text, finder, LabelRule::kOptional);
    if (!layout.ok()) return Annotate(layout.status(), path);
    if (!layout->remark.empty()) remarks_.push_back(path + ": " + layout->remark);
    std::vector<NamedPhoto> photos;
    std::vector<std::string> missing;
    bool header = layout->has_header;
    const Status status = ForEachRow(text, layout->separator, [&](const TextRow& row) {
      if (std::exchange(header, false)) return OkStatus();
      if (row.fields.size() <= layout->path_column) {
        return InvalidArgument(fmt::format("line {}: expected {}", row.line, layout->Expected()));
      }
      const std::string& name = row.fields[layout->path_column];
      if (std::optional<std::string> file = finder.Find(name); file.has_value()) {
        photos.push_back({.name = name, .path = *std::move(file)});
      } else {
        missing.push_back(name);
      }
      return OkStatus();
    });
    if (!status.ok()) return Annotate(status, path);
    FACEGATE_RETURN_IF_ERROR(TreatMissing(path, base, missing, photos.size()));
    return MakeFilePhotos(std::move(photos));
  }

  Status TreatMissing(const std::string& path, const std::string& base,
                      const std::vector<std::string>& missing, size_t found) {
    if (missing.empty()) return OkStatus();
    if (missing_ == MissingPhotos::kSkip && found > 0) {
      left_out_.Add("photos that are not there", missing.front(), missing.size());
      return OkStatus();
    }
    return InvalidArgument(fmt::format(
        "{}: {}", path,
        MissingPhotosMessage(missing, missing.size() + found, base,
                             found == 0 ? "Paths in a list are relative to the list's folder, "
                                          "unless --root names another."
                                        : "--skip-missing leaves them out.")));
  }

  const std::string root_;
  const MissingPhotos missing_;
  LeftOut left_out_;
  std::vector<std::string> remarks_;
};

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
          fmt::format("two photos are called {}; give a folder that holds both", ShownName(name)));
    }
  }
  return OkStatus();
}

}  // namespace

std::unique_ptr<NamedPhotos> MakePicturePhotos(std::shared_ptr<const Dataset> pictures,
                                               std::vector<std::string> names) {
  return std::make_unique<PicturePhotos>(std::move(pictures), std::move(names));
}

std::unique_ptr<NamedPhotos> MakeFilePhotos(std::vector<NamedPhoto> photos) {
  return std::make_unique<FilePhotos>(std::move(photos));
}

StatusOr<FoundPhotos> OpenNamedPhotos(const std::vector<std::string>& sources,
                                      const std::string& root, MissingPhotos missing) {
  SourceReader reader(root, missing);
  std::vector<std::unique_ptr<NamedPhotos>> parts;
  parts.reserve(sources.size());
  for (const std::string& source : sources) {
    FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<NamedPhotos> part, reader.Open(source));
    parts.push_back(std::move(part));
  }
  auto photos = std::make_unique<JoinedPhotos>(std::move(parts));
  FACEGATE_RETURN_IF_ERROR(CheckNames(*photos));
  return FoundPhotos{.photos = std::move(photos), .remarks = reader.remarks()};
}

}  // namespace facegate
