#include "clients/cli/photo_folder.h"

#include <fmt/format.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fstream>
#include <utility>

#include "clients/cli/report.h"
#include "face/image/image_format.h"
#include "face/image/system_name.h"

namespace facegate::cli {
namespace {

namespace fs = std::filesystem;

ClientResult<std::string> FirstBytes(const fs::path& path) {
  errno = 0;
  std::ifstream file(path, std::ios::binary);
  std::string bytes(kSniffedBytes, '\0');
  file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.is_open() || file.bad()) {
    return LocalError(fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  bytes.resize(static_cast<size_t>(file.gcount()));
  return bytes;
}

}  // namespace

ClientResult<std::vector<fs::directory_entry>> EntriesOf(const fs::path& dir) {
  std::error_code failure;
  std::vector<fs::directory_entry> entries;
  for (fs::directory_iterator it(dir, failure), end; !failure && it != end; it.increment(failure)) {
    entries.push_back(*it);
  }
  if (failure) return LocalError(fmt::format("cannot be read: {}", failure.message()));
  std::sort(entries.begin(), entries.end());
  return entries;
}

std::optional<NotAPhoto> WhyNotAPhoto(const fs::directory_entry& entry) {
  std::error_code failure;
  const fs::file_status status = entry.status(failure);
  if (status.type() == fs::file_type::not_found) return NotAPhoto{"is a link to nothing", true};
  if (failure) return NotAPhoto{fmt::format("cannot be read: {}", failure.message()), true};
  if (fs::is_directory(status)) {
    return NotAPhoto{"is a folder; photos are read right below a person's folder"};
  }
  if (!fs::is_regular_file(status)) return NotAPhoto{"is not a regular file"};
  const auto bytes = FirstBytes(entry.path());
  if (!bytes.ok()) return NotAPhoto{bytes.error().message, true};
  const ImageFormat format = SniffImageFormat(*bytes);
  if (IsDecodable(format) || IsHeif(format)) return std::nullopt;
  return NotAPhoto{fmt::format("is {}; photos are {}", NameWithArticle(format), DecodableFormats()),
                   IsPicture(format)};
}

ClientResult<PhotoFolder> ReadPhotoFolder(const fs::path& dir, size_t most) {
  const auto entries = EntriesOf(dir);
  if (!entries.ok()) return entries.error();
  PhotoFolder folder;
  for (const fs::directory_entry& entry : *entries) {
    if (most != 0 && folder.photos.size() == most) break;
    if (IsSystemName(entry.path().filename().string())) {
      ++folder.skipped;
    } else if (auto why = WhyNotAPhoto(entry); why.has_value()) {
      folder.left_out.push_back({entry.path(), std::move(why->message)});
    } else {
      folder.photos.push_back(entry.path());
    }
  }
  return folder;
}

}  // namespace facegate::cli
