#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "face/base/status.h"

namespace facegate {

// A file that grows at its end, buffered. After an error the file may end in the middle of what was
// appended. Not thread-safe.
class AppendFile {
 public:
  enum class Mode {
    kContinue,   // created where it is absent
    kMustBeNew,  // kFailedPrecondition where it exists
  };
  static StatusOr<std::unique_ptr<AppendFile>> Open(const std::string& path, Mode mode);
  // Writes what is buffered; an error of that is lost, so call Flush() before.
  ~AppendFile();
  AppendFile(const AppendFile&) = delete;
  AppendFile& operator=(const AppendFile&) = delete;

  Status Append(std::string_view bytes);
  // Other readers of the file see all of it.
  Status Flush();
  // All of it survives a power loss.
  Status Sync();

  const std::string& path() const { return path_; }

 private:
  AppendFile(int fd, std::string path);

  const int fd_;
  const std::string path_;
  std::string buffer_;
};

}  // namespace facegate
