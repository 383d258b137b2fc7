#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "face/base/status.h"

namespace facegate {

// A file's bytes as memory that the system fills when it is read. Thread-safe. The file must not be
// shortened meanwhile: touching what is gone ends the process.
class MappedFile {
 public:
  // kNotFound when it is absent, kInvalidArgument when it is empty or no regular file.
  static StatusOr<std::unique_ptr<MappedFile>> Open(const std::string& path);
  ~MappedFile();
  MappedFile(const MappedFile&) = delete;
  MappedFile& operator=(const MappedFile&) = delete;

  std::string_view bytes() const { return bytes_; }

 private:
  explicit MappedFile(std::string_view bytes) : bytes_(bytes) {}

  const std::string_view bytes_;
};

}  // namespace facegate
