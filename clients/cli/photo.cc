#include "clients/cli/photo.h"

#include <fmt/format.h>

#include <cerrno>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <utility>
#include <vector>

#include "clients/cli/report.h"

namespace facegate {
namespace {

constexpr uintmax_t kMaxPhotoBytes = 64U << 20;

}  // namespace

void AddPhotoOptions(CLI::App& app, PhotoOptions& options, AllowAll all) {
  std::vector<std::string> names = {"single", "largest", "central"};
  if (all == AllowAll::kYes) names.emplace_back("all");
  CLI::Option* select =
      app.add_option("--select", options.select,
                     "Which face of a photo: the only one, the largest, the one nearest to the "
                     "middle" +
                         std::string(all == AllowAll::kYes ? ", or every one" : ""))
          ->check(CLI::IsMember(names));
  app.add_flag("--crop", options.crop,
               "Photos are aligned crops already, of the size that `facegate info` shows")
      ->excludes(select);
}

void AddMinCosine(CLI::App& app, std::optional<float>& min_cosine, const std::string& description) {
  app.add_option("--min-cosine", min_cosine, description)
      ->check(CLI::Range(-1.0, 1.0))
      ->type_name("COSINE");
}

v1::FaceSelection SelectionOf(const std::string& name) {
  if (name == "single") return v1::FACE_SELECTION_SINGLE;
  if (name == "largest") return v1::FACE_SELECTION_LARGEST;
  if (name == "central") return v1::FACE_SELECTION_CENTRAL;
  if (name == "all") return v1::FACE_SELECTION_ALL;
  return v1::FACE_SELECTION_UNSPECIFIED;
}

ClientResult<std::string> ReadPhoto(const std::string& path) {
  std::error_code failure;
  const auto status = std::filesystem::status(path, failure);
  if (status.type() == std::filesystem::file_type::not_found) {
    return LocalError("no such file");
  }
  if (!std::filesystem::is_regular_file(status)) return LocalError("is no regular file");
  const uintmax_t bytes = std::filesystem::file_size(path, failure);
  if (failure) return LocalError(fmt::format("cannot be read: {}", failure.message()));
  if (bytes == 0) return LocalError("is empty");
  if (bytes > kMaxPhotoBytes) {
    return LocalError(fmt::format("has {} bytes; the limit is {}", bytes, kMaxPhotoBytes));
  }
  std::string content(bytes, '\0');
  std::ifstream file(path, std::ios::binary);
  if (!file.read(content.data(), static_cast<std::streamsize>(bytes))) {
    return LocalError(fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  return content;
}

ClientResult<v1::Probe> ReadProbe(const std::string& path, const PhotoOptions& options) {
  auto bytes = ReadPhoto(path);
  if (!bytes.ok()) return bytes.error();
  v1::Probe probe;
  if (options.crop) {
    probe.set_aligned_crop(std::move(bytes).value());
  } else {
    probe.set_image(std::move(bytes).value());
    probe.set_face_selection(SelectionOf(options.select));
  }
  return probe;
}

}  // namespace facegate
