#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

#include "clients/cpp/client_result.h"

// These tell which files of a folder are photos.
namespace facegate::cli {

// A file or folder that is not sent, and why, in words that go on after its name.
struct LeftOut {
  std::filesystem::path path;
  std::string message;
};

struct PhotoFolder {
  std::vector<std::filesystem::path> photos;  // in name order
  std::vector<LeftOut> left_out;              // in name order
  // Counts what systems and programs put beside photos (system_name.h); nobody expects it to be
  // sent.
  size_t skipped = 0;
};

// All entries of `dir`, in the order of their names.
ClientResult<std::vector<std::filesystem::directory_entry>> EntriesOf(
    const std::filesystem::path& dir);

struct NotAPhoto {
  std::string message;  // why, in words that go on after the file's name
  // A picture all the same, or a file that cannot be read and so may be one.
  bool may_be_meant = false;
};

// Says why the file is not a photo that a server reads: its content decides, not its name's ending.
// Nothing when it is one. HEIC and AVIF are: whether it reads them is for the server to say.
std::optional<NotAPhoto> WhyNotAPhoto(const std::filesystem::directory_entry& entry);

// The photos right in `dir`; the first `most` of them, 0 for all (what comes after is not looked
// at). Fails when the folder cannot be read.
ClientResult<PhotoFolder> ReadPhotoFolder(const std::filesystem::path& dir, size_t most);

}  // namespace facegate::cli
