#include "index/store/disk_room.h"

#include <fcntl.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include <algorithm>
#include <filesystem>
#include <limits>
#include <system_error>

#include "face/base/log.h"

namespace facegate {

DiskRoom::DiskRoom(const std::string& directory)
    : directory_(directory), path_((std::filesystem::path(directory) / kFile).string()) {
  // One that a killed process did not finish keeps nothing.
  struct stat file {};
  constexpr uint64_t kBlock = 512;
  if (::stat(path_.c_str(), &file) == 0) {
    kept_ = static_cast<uint64_t>(file.st_blocks) * kBlock >= Look().reserved;
    if (!kept_) Remove();
  }
  Keep();
}

bool DiskRoom::Remove() const {
  std::error_code error;
  std::filesystem::remove(path_, error);
  return !error;
}

DiskRoom::Space DiskRoom::Look() const {
  struct statvfs disk {};
  if (::statvfs(directory_.c_str(), &disk) != 0) {
    return {.free = std::numeric_limits<uint64_t>::max() / 2};
  }
  constexpr uint64_t kShareOfMargin = 32;
  constexpr uint64_t kShareOfReserve = 16;
  const uint64_t total = uint64_t{disk.f_blocks} * disk.f_frsize;
  return {.free = uint64_t{disk.f_bavail} * disk.f_frsize,
          .margin = std::min(kMargin, total / kShareOfMargin),
          .reserved = std::min(kReserved, total / kShareOfReserve)};
}

bool DiskRoom::ForMore() {
  const Space space = Look();
  return space.free >= space.margin + (kept_ ? 0 : space.reserved);
}

void DiskRoom::FreeForLess() {
  const Space space = Look();
  if (!kept_ || space.free >= space.margin) return;
  {
    const MutexLock lock(file_mutex_);
    if (!kept_ || !Remove()) return;
    kept_ = false;
  }
  LogWarning("store: the disk is full: the room that was kept for deletions is used now");
}

void DiskRoom::Keep() {
  const Space space = Look();
  if (kept_ || space.free < 2 * (space.margin + space.reserved)) return;
  const MutexLock lock(file_mutex_);
  if (kept_) return;
  const int fd = ::open(path_.c_str(), O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC | O_NOFOLLOW,
                        S_IRUSR | S_IWUSR);
  if (fd < 0) return;
  // A file system that cannot set room aside has none: deletions need what is free.
  const bool made = ::fallocate(fd, 0, 0, static_cast<off_t>(space.reserved)) == 0;
  ::close(fd);
  if (made) {
    kept_ = true;
  } else {
    Remove();
  }
}

}  // namespace facegate
