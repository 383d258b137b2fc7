#include "trainer/photos/photo_files.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <fstream>
#include <system_error>

#include "face/image/heif_library.h"
#include "face/image/system_name.h"
#include "trainer/photos/shown_name.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr std::array<std::string_view, 11> kUsualEndings = {
    "jpg", "jpeg", "jpe", "jfif", "png", "webp", "bmp", "dib", "ppm", "pgm", "pnm"};
constexpr std::array<std::string_view, 7> kOtherEndings = {"heic", "heif", "avif", "gif",
                                                           "tif",  "tiff", "jp2"};
constexpr char kHidden[] = "hidden files and folders, and those of the operating system";
constexpr char kNoPhoto[] = "files that are not photos by their first bytes";

std::string Lower(std::string_view text) {
  std::string lower(text);
  for (char& sign : lower) {
    if (sign >= 'A' && sign <= 'Z') sign = static_cast<char>(sign - 'A' + 'a');
  }
  return lower;
}

std::string EndingOf(std::string_view name) {
  const size_t dot = name.find_last_of('.');
  if (dot == std::string_view::npos || dot == 0) return {};
  return Lower(name.substr(dot + 1));
}

// Endings that photos to be read have: such a file is taken unseen, as to look into each of
// millions takes long.
bool HasUsualEnding(std::string_view name) {
  const std::string ending = EndingOf(name);
  return std::find(kUsualEndings.begin(), kUsualEndings.end(), ending) != kUsualEndings.end();
}

// True when this machine decodes it.
bool IsRead(ImageFormat format) {
  return IsDecodable(format) || (IsHeif(format) && OpenHeifLibrary().ok());
}

}  // namespace

bool HasPictureEnding(std::string_view name) {
  const std::string ending = EndingOf(name);
  return HasUsualEnding(name) ||
         std::find(kOtherEndings.begin(), kOtherEndings.end(), ending) != kOtherEndings.end();
}

std::optional<ImageFormat> FormatOfFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  if (!file) return std::nullopt;
  std::array<char, kSniffedBytes> bytes{};
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  return SniffImageFormat({bytes.data(), static_cast<size_t>(file.gcount())});
}

void LeftOut::Add(const std::string& reason, const std::string& example, size_t count) {
  Group& group = groups_[reason];
  if (group.count == 0) group.example = ShownName(example);
  group.count += count;
}

std::vector<std::string> LeftOut::Remarks() const {
  std::vector<std::string> remarks;
  remarks.reserve(groups_.size());
  for (const auto& [reason, group] : groups_) {
    remarks.push_back(group.count == 1 ? fmt::format("left out: {} (1: {})", reason, group.example)
                                       : fmt::format("left out: {} ({}, such as {})", reason,
                                                     group.count, group.example));
  }
  return remarks;
}

fs::path WholePath(const std::string& path) {
  std::error_code error;
  fs::path whole;
  for (const fs::path& step : fs::absolute(path, error)) {
    whole /= step;
    if (step != "..") continue;
    const fs::path real = fs::weakly_canonical(whole, error);
    if (!error) whole = real;
  }
  whole = whole.lexically_normal();
  return whole.has_filename() ? whole : whole.parent_path();
}

StatusOr<std::vector<std::string>> NamesInFolder(const std::string& folder) {
  std::error_code error;
  std::vector<std::string> names;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    names.push_back(entry->path().filename().string());
  }
  if (error) return InvalidArgument(fmt::format("{}: {}", folder, error.message()));
  std::sort(names.begin(), names.end());
  return names;
}

bool SkipsSystemName(std::string_view name, const std::string& shown, LeftOut& left_out) {
  if (!IsSystemName(name)) return false;
  left_out.Add(kHidden, shown);
  return true;
}

std::vector<std::string> FilesLike(const std::string& folder,
                                   const std::function<bool(std::string_view)>& fits) {
  std::vector<std::string> names;
  std::error_code error;
  for (const std::string& name : NamesInFolder(folder).value_or(std::vector<std::string>())) {
    if (fits(name) && fs::is_regular_file(fs::path(folder) / name, error)) names.push_back(name);
  }
  return names;
}

bool HasFolderOfPhotos(const std::string& folder) {
  std::error_code error;
  for (fs::directory_iterator entry(folder, error), end; !error && entry != end;
       entry.increment(error)) {
    std::error_code ignored;
    if (!entry->is_directory(ignored) || IsSystemName(entry->path().filename().string())) continue;
    const std::string inner = entry->path().string();
    LeftOut left_out;
    const auto is_photo = [&](std::string_view name) {
      return TakesPhoto((fs::path(inner) / name).string(), std::string(name), left_out);
    };
    if (!FilesLike(inner, is_photo).empty()) return true;
  }
  return false;
}

bool TakesPhoto(const std::string& path, const std::string& shown, LeftOut& left_out) {
  return TakesPhotoNamed(
      fs::path(path).filename().string(), shown, [&] { return FormatOfFile(path); }, left_out);
}

bool TakesPhotoNamed(std::string_view name, const std::string& shown,
                     const std::function<std::optional<ImageFormat>()>& format_of,
                     LeftOut& left_out) {
  if (SkipsSystemName(name, shown, left_out)) return false;
  if (HasUsualEnding(name)) return true;
  const std::optional<ImageFormat> format = format_of();
  if (!format.has_value() || IsRead(*format)) return true;
  left_out.Add(HasPictureEnding(name) || IsPicture(*format)
                   ? fmt::format("files of {}, which is not read{}; convert them to JPEG or PNG",
                                 Name(*format), IsHeif(*format) ? " without libheif" : "")
                   : kNoPhoto,
               shown);
  return false;
}

}  // namespace facegate
