#include "face/base/append_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <utility>

namespace facegate {
namespace {

constexpr size_t kBufferBytes = 256 << 10;

Status FromErrno(std::string_view what, const std::string& path) {
  return FailedPrecondition(fmt::format("{} {}: {}", what, path, std::strerror(errno)));
}

}  // namespace

StatusOr<std::unique_ptr<AppendFile>> AppendFile::Open(const std::string& path, Mode mode) {
  const int flags = O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC;
  const int fd = ::open(path.c_str(), mode == Mode::kMustBeNew ? flags | O_EXCL : flags, 0644);
  if (fd < 0) return FromErrno("cannot open", path);
  return std::unique_ptr<AppendFile>(new AppendFile(fd, path));
}

AppendFile::AppendFile(int fd, std::string path) : fd_(fd), path_(std::move(path)) {}

AppendFile::~AppendFile() {
  Flush().IgnoreError();
  ::close(fd_);
}

Status AppendFile::Append(std::string_view bytes) {
  buffer_.append(bytes);
  return buffer_.size() < kBufferBytes ? OkStatus() : Flush();
}

Status AppendFile::Flush() {
  std::string_view rest = buffer_;
  while (!rest.empty()) {
    const ssize_t written = ::write(fd_, rest.data(), rest.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) {
      Status status = FromErrno("cannot write", path_);
      buffer_.erase(0, buffer_.size() - rest.size());
      return status;
    }
    rest.remove_prefix(static_cast<size_t>(written));
  }
  buffer_.clear();
  return OkStatus();
}

Status AppendFile::Sync() {
  FACEGATE_RETURN_IF_ERROR(Flush());
  return ::fdatasync(fd_) == 0 ? OkStatus() : FromErrno("cannot sync", path_);
}

}  // namespace facegate
