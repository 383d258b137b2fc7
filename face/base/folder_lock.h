#pragma once

#include <string>
#include <utility>

#include "face/base/status.h"

namespace facegate {

// Holds a folder for one process, by a file ".lock" in it. The lock ends with the process, however
// that ends.
class FolderLock {
 public:
  // `folder` exists. kFailedPrecondition where another process has it, or nothing can be written
  // there.
  static StatusOr<FolderLock> Take(const std::string& folder);
  ~FolderLock();
  FolderLock(FolderLock&& other) noexcept : file_(std::exchange(other.file_, kNone)) {}
  FolderLock& operator=(FolderLock&&) = delete;

 private:
  static constexpr int kNone = -1;
  explicit FolderLock(int file) : file_(file) {}

  int file_;  // a file descriptor
};

}  // namespace facegate
