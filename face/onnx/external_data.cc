#include "face/onnx/external_data.h"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <system_error>

#include "face/base/file.h"
#include "face/weights/model_file.h"
#include "face/weights/quote.h"

namespace facegate {
namespace {

// The path without links; empty where there is nothing.
std::filesystem::path Real(const std::filesystem::path& path) {
  std::error_code error;
  std::filesystem::path real = std::filesystem::canonical(path, error);
  return error ? std::filesystem::path() : real;
}

bool IsWithin(const std::filesystem::path& folder, const std::filesystem::path& path) {
  return std::mismatch(folder.begin(), folder.end(), path.begin(), path.end()).first ==
         folder.end();
}

}  // namespace

StatusOr<std::string_view> ExternalData::File(const std::string& location) {
  const std::filesystem::path relative(location);
  const bool climbs = std::find(relative.begin(), relative.end(), "..") != relative.end();
  if (location.empty() || location.find('\0') != std::string::npos || relative.is_absolute() ||
      climbs) {
    return InvalidArgument(fmt::format(
        "its data are in {}, which is not a path within the model's folder", Quote(location)));
  }
  const std::filesystem::path path = std::filesystem::path(folder_) / relative;
  const std::filesystem::path real = Real(path);
  if (real.empty()) {
    return NotFound(fmt::format("its data are in {}, which is not there: put it beside the model",
                                Quote(path.string())));
  }
  if (!IsWithin(Real(folder_), real)) {
    return InvalidArgument(fmt::format(
        "its data are in {}, a link that leads out of the model's folder", Quote(location)));
  }
  if (const auto found = files_.find(real.string()); found != files_.end()) return found->second;
  FACEGATE_ASSIGN_OR_RETURN(std::string bytes,
                            ReadFile(real.string(), kMaxWeightFileBytes - bytes_));
  bytes_ += bytes.size();
  return files_.emplace(real.string(), std::move(bytes)).first->second;
}

StatusOr<std::string_view> ExternalData::Read(const std::string& location, uint64_t offset,
                                              std::optional<uint64_t> length) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string_view file, File(location));
  const uint64_t left = offset <= file.size() ? file.size() - offset : 0;
  if (offset > file.size() || length.value_or(0) > left) {
    return InvalidArgument(fmt::format("its data are {} bytes from byte {} on in {}, which has {}",
                                       length.value_or(0), offset, Quote(location), file.size()));
  }
  taken_ += length.value_or(left);
  if (taken_ > bytes_) {
    return InvalidArgument(
        fmt::format("its data in {} are those of other tensors, too", Quote(location)));
  }
  return file.substr(offset, length.value_or(left));
}

}  // namespace facegate
