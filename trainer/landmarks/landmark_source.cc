#include "trainer/landmarks/landmark_source.h"

#include <fmt/format.h>

#include <cstdint>
#include <filesystem>
#include <optional>
#include <string>
#include <system_error>
#include <utility>
#include <vector>

#include "face/base/file.h"
#include "face/base/sha256.h"
#include "face/detect/cascade_search.h"
#include "trainer/embeddings/face_cutter.h"
#include "trainer/photos/files_digest.h"
#include "trainer/photos/photo_finder.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxListBytes = 1ULL << 30;

StatusOr<OrderedLandmarks> ReadOrdered(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(LandmarkTable table, ReadLandmarks(path));
  OrderedLandmarks ordered;
  for (auto& [name, points] : table) ordered.emplace(name, std::move(points));
  if (ordered.empty()) return InvalidArgument(fmt::format("{} has no landmarks", path));
  return ordered;
}

// Says what the samples follow from; the number changes with how they are cut.
StatusOr<std::string> SourceOf(const LandmarkRunOptions& options,
                               const OrderedLandmarks& landmarks) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string list, ReadFile(options.landmarks, kMaxListBytes));
  std::error_code failure;
  const fs::path folder = fs::absolute(options.photos, failure);
  std::vector<std::string> files = {(fs::path(options.haar_dir) / kFaceCascadeFile).string()};
  for (const auto& [name, points] : landmarks) files.push_back((folder / name).string());
  return fmt::format("3 {} {} {}", Sha256Hex(list), options.network.training.seed,
                     DigestOfFiles(files, FilesToldBy::kNamesSizesAndTimes));
}

}  // namespace

StatusOr<OrderedLandmarks> FindLandmarks(const LandmarkRunOptions& options, Session& session) {
  FACEGATE_ASSIGN_OR_RETURN(const OrderedLandmarks landmarks, ReadOrdered(options.landmarks));
  PhotoFinder finder(options.photos);
  OrderedLandmarks found;
  std::vector<std::string> missing;
  for (const auto& [name, points] : landmarks) {
    if (const std::optional<std::string> file = finder.FindName(name); file.has_value()) {
      found.emplace(*file, points);
    } else {
      missing.push_back(name);
    }
  }
  if (missing.empty()) return found;
  if (options.skip_missing && !found.empty()) {
    session.Print(fmt::format("left out: photos that are not there ({}, such as {})",
                              missing.size(), missing.front()));
    return found;
  }
  return InvalidArgument(fmt::format(
      "{}: {}", options.landmarks,
      MissingPhotosMessage(missing, landmarks.size(), options.photos,
                           found.empty() ? "Names in the list are relative to the folder --photos."
                                         : "--skip-missing leaves them out.")));
}

StatusOr<LandmarkSamples> LandmarkSamplesFor(const LandmarkRunOptions& options,
                                             const WorkFolder& work,
                                             const OrderedLandmarks& landmarks, Session& session) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string source, SourceOf(options, landmarks));
  if (const std::optional<std::string> kept = work.KeptSamples(); kept.has_value()) {
    StatusOr<LandmarkSamples> samples = ParseSamples(*kept, source);
    if (samples.ok()) return samples;
    session.Print(fmt::format("{} is made again: {}", work.samples(), MessageOf(samples.status())));
  }
  ProgressBar bar = session.Bar("photos", landmarks.size());
  FACEGATE_ASSIGN_OR_RETURN(LandmarkSamples samples,
                            PrepareSamples(landmarks,
                                           {.photos = options.photos,
                                            .cascades = options.haar_dir,
                                            .seed = options.network.training.seed,
                                            .threads = session.threads()},
                                           [&] { bar.Advance(); }));
  bar.Finish();
  FACEGATE_RETURN_IF_ERROR(WriteFileAtomically(work.samples(), SerializeSamples(samples, source)));
  return samples;
}

}  // namespace facegate
