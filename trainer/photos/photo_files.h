#pragma once

#include <cstddef>
#include <filesystem>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/image/image_format.h"

namespace facegate {

// True when a file's name ends like a picture's, in any case (.jpg, .jfif, .HEIC and so on). No
// rule of what a photo is: that is in its first bytes.
bool HasPictureEnding(std::string_view name);

// Tells the format by the file's first bytes. Nothing where the file cannot be read.
std::optional<ImageFormat> FormatOfFile(const std::string& path);

// Counts what was left out in reading photos: how many for each reason, and one of them.
class LeftOut {
 public:
  // `reason` says what was left out, such as "hidden files and folders".
  void Add(const std::string& reason, const std::string& example, size_t count = 1);
  // One line for each reason: "left out: hidden files and folders (3, such as a/.DS_Store)".
  std::vector<std::string> Remarks() const;

 private:
  struct Group {
    size_t count = 0;
    std::string example;
  };
  std::map<std::string, Group> groups_;
};

// The whole path, without "." and without a slash at its end. Links before a ".." are followed, as
// it leads elsewhere than to the folder above the link; those behind it stay.
std::filesystem::path WholePath(const std::string& path);

// The names in a folder, in order. kInvalidArgument where it cannot be read.
StatusOr<std::vector<std::string>> NamesInFolder(const std::string& folder);

// The names of the files in a folder of which `fits` is true, in order; none where it cannot be
// read.
std::vector<std::string> FilesLike(const std::string& folder,
                                   const std::function<bool(std::string_view)>& fits);

// True when the folder holds a folder with a photo, of a person perhaps.
bool HasFolderOfPhotos(const std::string& folder);

// True when the file at `path` is taken for a photo when a folder is read. A file that ends like a
// picture is, and so shows its fault when it is read; any other file is judged by its first bytes.
// Hidden files, and pictures of formats that are not decoded, are not taken; HEIC and AVIF are
// decoded where libheif is installed. What is not taken is added to `left_out` under the name
// `shown`.
bool TakesPhoto(const std::string& path, const std::string& shown, LeftOut& left_out);
// The same for what is called `name` and lies in no file of its own: `format_of` tells what it is
// by its first bytes, and is asked only where the ending does not say it.
bool TakesPhotoNamed(std::string_view name, const std::string& shown,
                     const std::function<std::optional<ImageFormat>()>& format_of,
                     LeftOut& left_out);

// Adds the folder or file to `left_out` where IsSystemName() (face/image/system_name.h) is true of
// its name; says whether.
bool SkipsSystemName(std::string_view name, const std::string& shown, LeftOut& left_out);

}  // namespace facegate
