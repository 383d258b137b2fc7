#include "trainer/align/staged_folder.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <memory>
#include <system_error>
#include <vector>

#include "face/base/append_file.h"
#include "face/base/file.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr std::string_view kUnfinished = ".unfinished";
constexpr std::string_view kLock = ".lock";

Status Failed(std::string_view what, const std::string& path, const std::error_code& error) {
  return FailedPrecondition(fmt::format("cannot {} {}: {}", what, path, error.message()));
}

Status MakeFolder(const fs::path& path) {
  std::error_code error;
  fs::create_directories(path, error);
  return error ? Failed("make", path.string(), error) : OkStatus();
}

Status Rename(const std::string& from, const std::string& to) {
  std::error_code error;
  fs::rename(from, to, error);
  return error ? Failed("rename to", to, error) : OkStatus();
}

}  // namespace

std::string StagedFolder::PathOf(std::string_view name) const {
  return (fs::path(path_) / name).string();
}

std::string StagedFolder::UnfinishedPath(std::string_view name) const {
  const fs::path folder = fs::path(path_) / kUnfinished;
  return name.empty() ? folder.string() : (folder / name).string();
}

Status StagedFolder::Make() const { return MakeFolder(UnfinishedPath()); }

Status StagedFolder::Clear(std::string_view kept) const {
  std::error_code error;
  std::vector<fs::path> old;
  for (fs::directory_iterator entry(UnfinishedPath(), error), end; !error && entry != end;
       entry.increment(error)) {
    const fs::path name = entry->path().filename();
    if (name != kept && name != kLock) old.push_back(entry->path());
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Failed("read", UnfinishedPath(), error);
  }
  for (const fs::path& path : old) {
    fs::remove_all(path, error);
    if (error) return Failed("remove", path.string(), error);
  }
  return OkStatus();
}

Status StagedFolder::Put(const std::string& name, std::string_view bytes) {
  const std::string place = PathOf(name);
  FACEGATE_RETURN_IF_ERROR(Make());
  FACEGATE_RETURN_IF_ERROR(MakeFolder(fs::path(place).parent_path()));
  const std::string unfinished = UnfinishedPath(std::to_string(next_++));
  {
    FACEGATE_ASSIGN_OR_RETURN(const auto file,
                              AppendFile::Open(unfinished, AppendFile::Mode::kMustBeNew));
    FACEGATE_RETURN_IF_ERROR(file->Append(bytes));
    FACEGATE_RETURN_IF_ERROR(file->Flush());
  }
  FACEGATE_RETURN_IF_ERROR(Rename(unfinished, place));
  unsynced_ = true;
  return OkStatus();
}

Status StagedFolder::Publish(const std::string& name) const {
  FACEGATE_RETURN_IF_ERROR(Rename(UnfinishedPath(name), PathOf(name)));
  return SyncFolderOf(PathOf(name));
}

Status StagedFolder::Sync() {
  if (!unsynced_.exchange(false)) return OkStatus();
  // One call for many small files.
  const int fd = ::open(path_.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  const bool synced = fd >= 0 && ::syncfs(fd) == 0;
  const int error = errno;
  if (fd >= 0) ::close(fd);
  if (synced) return OkStatus();
  return FailedPrecondition(fmt::format("cannot sync {}: {}", path_, std::strerror(error)));
}

Status StagedFolder::Close() const {
  std::error_code error;
  fs::remove_all(UnfinishedPath(), error);
  return error ? Failed("remove", UnfinishedPath(), error) : OkStatus();
}

}  // namespace facegate
