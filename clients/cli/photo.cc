#include "clients/cli/photo.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>
#include <vector>

#include "clients/cli/number_range.h"
#include "clients/cli/report.h"
#include "face/base/sha256.h"

namespace facegate::cli {
namespace {

// A file that is closed in the end.
class OpenFile {
 public:
  explicit OpenFile(const std::string& path)
      : descriptor_(::open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
  ~OpenFile() {
    if (descriptor_ >= 0) ::close(descriptor_);
  }
  OpenFile(const OpenFile&) = delete;
  OpenFile& operator=(const OpenFile&) = delete;

  // Negative, with errno, when it cannot be opened.
  int descriptor() const { return descriptor_; }

 private:
  const int descriptor_;
};

// Reads what is there up to the end; how much that is a pipe does not tell before.
ClientResult<std::string> ReadToEnd(int descriptor) {
  constexpr size_t kChunk = 64 << 10;
  std::string content;
  while (true) {
    const size_t before = content.size();
    content.resize(before + kChunk);
    const ssize_t read = ::read(descriptor, content.data() + before, kChunk);
    if (read < 0 && errno != EINTR) {
      return LocalError(fmt::format("cannot be read: {}", std::strerror(errno)));
    }
    content.resize(before + static_cast<size_t>(std::max<ssize_t>(read, 0)));
    if (read == 0) return content;
    if (content.size() > kMaxPhotoBytes) {
      return LocalError(fmt::format("has more than {} bytes, which is the limit", kMaxPhotoBytes));
    }
  }
}

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
      ->check(NumberBetween(-1.0, 1.0))
      ->type_name("COSINE");
}

void AddErrorRate(CLI::App& app, const std::string& name, std::optional<double>& rate,
                  const std::string& description) {
  constexpr double kLeast = 1e-12;
  app.add_option("--" + name, rate, description)
      ->check(NumberBetween(kLeast, 1.0 - kLeast))
      ->type_name("RATE");
}

void OperatingPointOptions::AddTo(CLI::App& app, bool within_collection) {
  AddMinCosine(app, min_cosine_, "The smallest cosine that is a match");
  AddErrorRate(app, "fmr", fmr_,
               "Match at this false match rate: how often two different people are taken for one");
  app.get_option("--fmr")->excludes("--min-cosine");
  if (!within_collection) return;
  AddErrorRate(app, "fpir", fpir_,
               "Match at this false positive identification rate: how often a search for a "
               "stranger finds somebody");
  app.get_option("--fpir")->excludes("--min-cosine")->excludes("--fmr");
  app.add_flag("--site-calibration", site_,
               "Rates are those of the collection's own identities, not the model card's; with "
               "--fmr, --fpir or --min-cosine");
  app.parse_complete_callback([this] {
    if (site_ && !given()) {
      throw CLI::RequiresError("--site-calibration", "--fmr, --fpir or --min-cosine");
    }
  });
}

void OperatingPointOptions::Fill(v1::OperatingPoint& point) const {
  if (min_cosine_.has_value()) point.set_min_cosine(*min_cosine_);
  if (fmr_.has_value()) point.set_fmr(*fmr_);
  if (fpir_.has_value()) point.set_fpir(*fpir_);
  if (site_) point.set_calibration(v1::CALIBRATION_CHOICE_COLLECTION);
}

void AddLeastQuality(CLI::App& app, const std::string& name, std::optional<float>& quality,
                     const std::string& description) {
  app.add_option("--" + name, quality, description)
      ->check(NumberBetween(0.0, 1.0))
      ->type_name("QUALITY");
}

v1::FaceSelection SelectionOf(const std::string& name) {
  if (name == "single") return v1::FACE_SELECTION_SINGLE;
  if (name == "largest") return v1::FACE_SELECTION_LARGEST;
  if (name == "central") return v1::FACE_SELECTION_CENTRAL;
  if (name == "all") return v1::FACE_SELECTION_ALL;
  return v1::FACE_SELECTION_UNSPECIFIED;
}

ClientResult<std::string> ReadPhoto(const std::string& path) {
  if (path == "-") {
    auto bytes = ReadToEnd(STDIN_FILENO);
    if (bytes.ok() && bytes->empty()) {
      return LocalError("standard input is empty; it gives one photo to one command");
    }
    return bytes;
  }
  const OpenFile file(path);
  if (file.descriptor() < 0) {
    return LocalError(errno == ENOENT ? "no such file"
                                      : fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  struct stat status {};
  if (::fstat(file.descriptor(), &status) != 0) {
    return LocalError(fmt::format("cannot be read: {}", std::strerror(errno)));
  }
  if (S_ISDIR(status.st_mode)) return LocalError("is a folder, not a photo");
  if (S_ISREG(status.st_mode) && static_cast<uint64_t>(status.st_size) > kMaxPhotoBytes) {
    return LocalError(fmt::format("has {} bytes; the limit is {}", status.st_size, kMaxPhotoBytes));
  }
  auto bytes = ReadToEnd(file.descriptor());
  if (bytes.ok() && bytes->empty()) return LocalError("is empty");
  return bytes;
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

ClientResult<v1::Probe> ReadSample(const std::string& path, const PhotoOptions& options) {
  auto probe = ReadProbe(path, options);
  if (!probe.ok()) return probe;
  probe->set_source_digest(
      Sha256Hex(probe->has_aligned_crop() ? probe->aligned_crop() : probe->image()));
  return probe;
}

}  // namespace facegate::cli
