#include "index/store/store_directory.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <cstdint>
#include <cstring>
#include <filesystem>
#include <optional>
#include <string_view>
#include <system_error>

#include "face/base/file.h"
#include "index/store/corrupt.h"

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
std::optional<uint64_t> NumberOf(const fs::path& file, std::string_view extension) {
  if (file.extension() != extension) return std::nullopt;
  const std::string stem = file.stem().string();
  uint64_t number = 0;
  const char* end = stem.data() + stem.size();
  const auto [stop, error] = std::from_chars(stem.data(), end, number);
  if (stem.empty() || error != std::errc() || stop != end) return std::nullopt;
  return number;
}

struct DataFiles {
  size_t tables = 0;
  size_t logs = 0;
  uint64_t newest_log = 0;
};

DataFiles ListDataFiles(const fs::path& directory) {
  DataFiles files;
  for (const auto& entry : fs::directory_iterator(directory)) {
    if (NumberOf(entry.path(), ".sst").has_value()) files.tables += 1;
    if (const auto number = NumberOf(entry.path(), ".log")) {
      files.logs += 1;
      files.newest_log = std::max(files.newest_log, *number);
    }
  }
  return files;
}

std::string LogName(uint64_t number) { return fmt::format("{:06}.log", number); }

Status LogIsMissing(std::string_view which) {
  return Corrupt(
      fmt::format("the write-ahead log {} is missing, and with it changes that were "
                  "acknowledged",
                  which));
}

// The number in the note; nothing where there is none: an earlier version, or a store that was
// being made, did not write one.
StatusOr<std::optional<uint64_t>> ReadLogNote(const fs::path& directory) {
  constexpr uint64_t kMostBytes = 64;
  const fs::path path = directory / kLogNote;
  if (!fs::exists(path)) return std::optional<uint64_t>();
  FACEGATE_ASSIGN_OR_RETURN(std::string name, ReadFile(path.string(), kMostBytes));
  if (name.ends_with('\n')) name.pop_back();
  const std::optional<uint64_t> number = NumberOf(name, ".log");
  if (!number.has_value()) {
    return Corrupt(fmt::format("{} does not name a log", path.string()));
  }
  return number;
}

Status CheckLogs(const fs::path& directory, const DataFiles& files) {
  FACEGATE_ASSIGN_OR_RETURN(const auto noted, ReadLogNote(directory));
  if (noted.has_value() && (files.logs == 0 || files.newest_log < *noted)) {
    return LogIsMissing(LogName(*noted));
  }
  // RocksDB leaves a log also after a clean stop; only a store that is being made may have none.
  if (files.logs == 0 && files.tables > 0) return LogIsMissing("(NNNNNN.log)");
  return OkStatus();
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
    // The path has no slash at the end, behind which there would be an empty name.
    fs::path path = fs::path(directory).lexically_normal();
    if (!path.has_filename()) path = path.parent_path();
    FACEGATE_RETURN_IF_ERROR(Make(path));
    const DataFiles files = ListDataFiles(path);
    if (fs::exists(path / "CURRENT")) return CheckLogs(path, files);
    if (files.tables + files.logs == 0) return OkStatus();
    return Corrupt(fmt::format("{} holds {} data files but no file CURRENT", directory,
                               files.tables + files.logs));
  } catch (const fs::filesystem_error& e) {
    return FromErrno("cannot read", directory, e.code().value());
  }
}

Status NoteLog(const std::string& directory) {
  try {
    const fs::path path(directory);
    const DataFiles files = ListDataFiles(path);
    if (files.logs == 0) return OkStatus();
    return WriteFileAtomically((path / kLogNote).string(), LogName(files.newest_log) + "\n");
  } catch (const fs::filesystem_error& e) {
    return FromErrno("cannot read", directory, e.code().value());
  }
}

}  // namespace facegate
