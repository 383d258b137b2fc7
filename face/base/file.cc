#include "face/base/file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace facegate {
namespace {

// Closes at the end of scope; Close() tells whether closing worked.
class FileDescriptor {
 public:
  explicit FileDescriptor(int fd) : fd_(fd) {}
  ~FileDescriptor() {
    if (fd_ >= 0) ::close(fd_);
  }
  FileDescriptor(const FileDescriptor&) = delete;
  FileDescriptor& operator=(const FileDescriptor&) = delete;

  int get() const { return fd_; }
  bool Close() {
    const int fd = fd_;
    fd_ = -1;
    return ::close(fd) == 0;
  }

 private:
  int fd_;
};

Status FromErrno(std::string_view what, const std::string& path) {
  const int error = errno;
  const std::string message = fmt::format("{} {}: {}", what, path, std::strerror(error));
  if (error == ENOENT) return NotFound(message);
  if (error == ENOSPC || error == EDQUOT) return Refuse(Reason::kStoreFull, message);
  return FailedPrecondition(message);
}

Status WriteAll(int fd, std::string_view bytes, const std::string& path) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(fd, bytes.data(), bytes.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return FromErrno("cannot write", path);
    bytes.remove_prefix(static_cast<size_t>(written));
  }
  return OkStatus();
}

// Makes the rename itself survive a power loss.
Status SyncDirectory(const std::filesystem::path& directory) {
  const FileDescriptor fd(::open(directory.c_str(), O_RDONLY | O_DIRECTORY | O_CLOEXEC));
  if (fd.get() < 0 || ::fsync(fd.get()) != 0) return FromErrno("cannot sync", directory.string());
  return OkStatus();
}

}  // namespace

StatusOr<std::string> ReadFile(const std::string& path, uint64_t max_bytes) {
  const FileDescriptor fd(::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK));
  if (fd.get() < 0) return FromErrno("cannot open", path);
  struct stat info {};
  if (::fstat(fd.get(), &info) != 0) return FromErrno("cannot stat", path);
  if (!S_ISREG(info.st_mode)) return InvalidArgument(fmt::format("{} is not a file", path));
  const auto size = static_cast<uint64_t>(info.st_size);
  if (size > max_bytes) {
    return InvalidArgument(fmt::format("{} has {} bytes, limit is {}", path, size, max_bytes));
  }
  std::string bytes(size, '\0');
  size_t filled = 0;
  while (filled < bytes.size()) {
    const ssize_t got = ::read(fd.get(), bytes.data() + filled, bytes.size() - filled);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return FromErrno("cannot read", path);
    if (got == 0) break;
    filled += static_cast<size_t>(got);
  }
  bytes.resize(filled);
  return bytes;
}

Status WriteFileAtomically(const std::string& path, std::string_view bytes) {
  const std::string temporary = fmt::format("{}.tmp.{}", path, ::getpid());
  // Others may write to the folder, and the name can be guessed: what lies there, left behind by a
  // process of the same number or laid as a link to a file of ours, is neither written to nor
  // followed.
  ::unlink(temporary.c_str());
  FileDescriptor fd(::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0644));
  if (fd.get() < 0) return FromErrno("cannot create", temporary);
  Status status = WriteAll(fd.get(), bytes, temporary);
  if (status.ok() && ::fsync(fd.get()) != 0) status = FromErrno("cannot sync", temporary);
  if (!fd.Close() && status.ok()) status = FromErrno("cannot close", temporary);
  if (status.ok() && std::rename(temporary.c_str(), path.c_str()) != 0) {
    status = FromErrno("cannot rename to", path);
  }
  if (!status.ok()) {
    ::unlink(temporary.c_str());
    return status;
  }
  return SyncFolderOf(path);
}

Status SyncFolderOf(const std::string& path) {
  const std::filesystem::path parent = std::filesystem::path(path).parent_path();
  return SyncDirectory(parent.empty() ? "." : parent);
}

}  // namespace facegate
