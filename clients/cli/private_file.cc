#include "clients/cli/private_file.h"

#include <fcntl.h>
#include <unistd.h>

#include <cerrno>
#include <cstdio>
#include <cstring>
#include <filesystem>

namespace facegate::cli {
namespace {

std::optional<std::string> WriteAll(int file, std::string_view bytes) {
  while (!bytes.empty()) {
    const ssize_t written = ::write(file, bytes.data(), bytes.size());
    if (written >= 0) {
      bytes.remove_prefix(static_cast<size_t>(written));
    } else if (errno != EINTR) {
      return std::strerror(errno);
    }
  }
  return std::nullopt;
}

}  // namespace

std::optional<std::string> WritePrivateFile(const std::string& path, std::string_view bytes) {
  // A new file with the rights of one that is private, which takes the old one's place: neither the
  // old one's rights nor a link that lies there decides who reads it.
  // Its name is short, since the file's own may be as long as a name can be.
  const std::string name = ".facegate-" + std::to_string(::getpid()) + ".tmp";
  const std::string temporary = std::filesystem::path(path).replace_filename(name).string();
  ::unlink(temporary.c_str());
  const int file = ::open(temporary.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  if (file < 0) return std::strerror(errno);
  std::optional<std::string> failure = WriteAll(file, bytes);
  if (::close(file) != 0 && !failure.has_value()) failure = std::strerror(errno);
  if (!failure.has_value() && std::rename(temporary.c_str(), path.c_str()) != 0) {
    failure = std::strerror(errno);
  }
  if (failure.has_value()) ::unlink(temporary.c_str());
  return failure;
}

}  // namespace facegate::cli
