#include "index/store_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <filesystem>
#include <string_view>

namespace facegate {
namespace {

namespace fs = std::filesystem;

Status FromErrno(std::string_view what, const fs::path& path, int error) {
  const std::string message = fmt::format("{} {}: {}", what, path.string(), std::strerror(error));
  if (error == ENOSPC || error == EDQUOT) return Refuse(Reason::kStoreFull, message);
  return FailedPrecondition(message);
}

Status Sync(const fs::path& directory) {
  const int fd = ::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (fd < 0) return FromErrno("cannot open", directory, errno);
  const int result = ::fsync(fd);
  const int error = errno;
  ::close(fd);
  return result == 0 ? OkStatus() : FromErrno("cannot sync", directory, error);
}

Status Make(const fs::path& directory) {
  const fs::path parent = directory.parent_path();
  if (!parent.empty() && !fs::exists(parent)) FACEGATE_RETURN_IF_ERROR(Make(parent));
  if (::mkdir(directory.c_str(), S_IRWXU) == 0) return Sync(parent.empty() ? "." : parent);
  const int error = errno;
  if (error == EEXIST && fs::is_directory(directory)) return OkStatus();
  return FromErrno("cannot make directory", directory, error);
}

// Tables are named 000012.sst and write-ahead logs 000012.log; RocksDB's own log is named LOG.
bool IsDataFile(const fs::path& file) {
  const std::string stem = file.stem().string();
  return (file.extension() == ".sst" || file.extension() == ".log") && !stem.empty() &&
         std::all_of(stem.begin(), stem.end(), [](char c) { return c >= '0' && c <= '9'; });
}

bool EndsWithError(std::string_view text, int error) {
  return text.ends_with(std::strerror(error));
}

}  // namespace

bool SaysThatLockIsHeld(std::string_view rocksdb_text) {
  // RocksDB's env/fs_posix.cc has no code for it: its own table of held locks says the first, and
  // fcntl(F_SETLK) the second, with EAGAIN or EACCES (POSIX allows both).
  if (rocksdb_text.find("lock hold by current process") != std::string_view::npos) return true;
  return rocksdb_text.find("While lock file") != std::string_view::npos &&
         (EndsWithError(rocksdb_text, EAGAIN) || EndsWithError(rocksdb_text, EACCES));
}

Status PrepareStoreDirectory(const std::string& directory) {
  if (directory.empty()) return InvalidArgument("the store's directory is not named");
  try {
    // Without a slash at the end, behind which there would be an empty name.
    fs::path path = fs::path(directory).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    FACEGATE_RETURN_IF_ERROR(Make(path));
    if (fs::exists(path / "CURRENT")) return OkStatus();
    const auto data_files =
        std::count_if(fs::directory_iterator(path), fs::directory_iterator(),
                      [](const auto& entry) { return IsDataFile(entry.path()); });
    if (data_files == 0) return OkStatus();
    return Refuse(Reason::kStoreCorrupt,
                  fmt::format("{} holds {} data files but no file CURRENT", directory, data_files));
  } catch (const fs::filesystem_error& e) {
    return FromErrno("cannot read", directory, e.code().value());
  }
}

}  // namespace facegate
