#include "face/base/folder_lock.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/file.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace facegate {

StatusOr<FolderLock> FolderLock::Take(const std::string& folder) {
  const std::string path = folder + "/.lock";
  const int file = ::open(path.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644);
  if (file < 0) {
    return FailedPrecondition(fmt::format("cannot write to {}: {}", folder, std::strerror(errno)));
  }
  FolderLock lock(file);
  if (::flock(file, LOCK_EX | LOCK_NB) != 0) {
    return FailedPrecondition(fmt::format("another process works in {}", folder));
  }
  return lock;
}

FolderLock::~FolderLock() {
  if (file_ != kNone) ::close(file_);
}

}  // namespace facegate
