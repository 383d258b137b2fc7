#include "clients/cli/private_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace facegate {

std::optional<std::string> WritePrivateFile(const std::string& path, std::string_view bytes) {
  const int file = ::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (file < 0) return std::strerror(errno);
  std::optional<std::string> failure;
  while (!bytes.empty() && !failure.has_value()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      failure = std::strerror(errno);
    }
  }
  if (::close(file) != 0 && !failure.has_value()) failure = std::strerror(errno);
  return failure;
}

}  // namespace facegate
