#include "trainer/photos/mapped_file.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace facegate {

StatusOr<std::unique_ptr<MappedFile>> MappedFile::Open(const std::string& path) {
  const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (fd < 0) {
    const std::string message = fmt::format("cannot open {}: {}", path, std::strerror(errno));
    return errno == ENOENT ? NotFound(message) : FailedPrecondition(message);
  }
  struct stat info {};
  const bool known = ::fstat(fd, &info) == 0;
  if (!known || !S_ISREG(info.st_mode) || info.st_size == 0) {
    ::close(fd);
    return InvalidArgument(
        fmt::format("{} is {}", path, known && S_ISREG(info.st_mode) ? "empty" : "not a file"));
  }
  const auto size = static_cast<size_t>(info.st_size);
  void* const start = ::mmap(nullptr, size, PROT_READ, MAP_PRIVATE, fd, 0);
  const int error = errno;
  ::close(fd);  // the mapping stays
  if (start == MAP_FAILED) {
    return FailedPrecondition(fmt::format("cannot map {}: {}", path, std::strerror(error)));
  }
  return std::unique_ptr<MappedFile>(
      new MappedFile(std::string_view(static_cast<const char*>(start), size)));
}

MappedFile::~MappedFile() {
  // munmap takes a pointer to what could be written.
  ::munmap(const_cast<char*>(bytes_.data()), bytes_.size());
}

}  // namespace facegate
