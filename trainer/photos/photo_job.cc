#include "trainer/photos/photo_job.h"

#include <fmt/format.h>

#include <utility>

#include "trainer/photos/ordered_work.h"

namespace facegate {
namespace {

// Identities that are read beyond the one that is written, for each thread.
constexpr size_t kAheadPerThread = 4;

using Identity = MergedIdentities::Identity;

// The photos of an identity, as they were read.
struct ReadIdentity {
  std::vector<CheckedPhoto> photos;
  std::vector<Status> bad;
};

Status CheckPhoto(std::string_view image, const std::optional<cv::Size>& crop) {
  FACEGATE_ASSIGN_OR_RETURN(const cv::Mat picture, DecodeTrainingPhoto(image));
  if (crop.has_value() && picture.size() != *crop) {
    return InvalidArgument(fmt::format("{} x {} pixels, expected {} x {}", picture.cols,
                                       picture.rows, crop->width, crop->height));
  }
  return OkStatus();
}

ReadIdentity ReadPhotos(const SourceSet& set, size_t number, const std::optional<cv::Size>& crop,
                        const PhotoSink& sink) {
  const Identity& identity = set.merged.identities[number];
  const PhotoSource& source = *set.sources[identity.source];
  ReadIdentity read;
  read.photos.reserve(identity.photos.size());
  for (size_t place = 0; place < identity.photos.size(); ++place) {
    const size_t i = identity.photos[place];
    StatusOr<std::string> image = source.Read(i);
    if (!image.ok()) {
      read.bad.push_back(image.status());
      continue;
    }
    CheckedPhoto photo{.place = place, .name = source.short_name(i), .image = *std::move(image)};
    // The size asked for may be another than in the run that was interrupted.
    if (crop.has_value() || !sink.Holds(number, photo)) {
      if (const Status fit = CheckPhoto(photo.image, crop); !fit.ok()) {
        read.bad.push_back(Annotate(fit, source.name(i)));
        continue;
      }
    }
    read.photos.push_back(std::move(photo));
  }
  return read;
}

}  // namespace

StatusOr<PhotoJobReport> RunPhotoJob(const SourceSet& set, const PhotoJobOptions& options,
                                     const PhotoJobEvents& events, PhotoSink& sink) {
  const std::vector<Identity>& identities = set.merged.identities;
  PhotoJobReport report{.renamed_identities = set.merged.renamed, .remarks = set.remarks};
  if (events.started) events.started(set.photos);
  const auto make = [&](size_t i) -> StatusOr<ReadIdentity> {
    return ReadPhotos(set, i, options.crop, sink);
  };
  const auto take = [&](size_t i, const ReadIdentity& read) -> Status {
    for (const Status& bad : read.bad) {
      ++report.bad_photos;
      if (events.bad_photo) events.bad_photo(bad);
    }
    for (size_t n = 0; events.read && n < identities[i].photos.size(); ++n) events.read();
    if (read.photos.size() < options.min_photos) {
      ++report.small_identities;
      report.photos_of_small += read.photos.size();
      return OkStatus();
    }
    report.photos += read.photos.size();
    return sink.Take(i, static_cast<uint32_t>(report.identities++), read.photos);
  };
  const size_t ahead = kAheadPerThread * static_cast<size_t>(options.threads);
  FACEGATE_RETURN_IF_ERROR(
      OrderedWork<ReadIdentity>::Run(identities.size(), options.threads, ahead, make, take));
  if (report.identities == 0) {
    return InvalidArgument(fmt::format(
        "nothing to write: no identity has {} readable photos or more ({} photos are bad)",
        options.min_photos, report.bad_photos));
  }
  return report;
}

}  // namespace facegate
