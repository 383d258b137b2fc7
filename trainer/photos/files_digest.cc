#include "trainer/photos/files_digest.h"

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <system_error>

#include "face/base/sha256.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

std::string SizeText(const std::string& path) {
  std::error_code error;
  const uintmax_t bytes = fs::file_size(path, error);
  return error ? "-" : fmt::format("{}", bytes);
}

std::string NameSizeAndTimeText(const std::string& path) {
  std::error_code error;
  if (!fs::is_regular_file(path, error)) return path;
  const auto written = fs::last_write_time(path, error);
  return fmt::format("{}\n{} {}", path, SizeText(path), written.time_since_epoch().count());
}

}  // namespace

std::string DigestOfFiles(std::span<const std::string> paths, FilesToldBy by) {
  Sha256 digest;
  for (const std::string& path : paths) {
    digest.Update(by == FilesToldBy::kSizes ? SizeText(path) : NameSizeAndTimeText(path));
    digest.Update("\n");
  }
  return digest.HexDigest();
}

}  // namespace facegate
