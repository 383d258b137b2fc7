#include "trainer/photos/pack_job.h"

#include <fmt/format.h>

#include <memory>
#include <utility>

#include "trainer/photos/ordered_work.h"
#include "trainer/photos/source_set.h"

namespace facegate {
namespace {

// Identities that are read beyond the one that is written, for each thread.
constexpr size_t kAheadPerThread = 4;

using Identity = MergedIdentities::Identity;

// The photos of an identity, as they were read.
struct ReadIdentity {
  struct Photo {
    std::string name;
    std::string image;
  };
  std::vector<Photo> photos;
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

ReadIdentity ReadPhotos(const PhotoSource& source, const Identity& identity,
                        const std::optional<cv::Size>& crop, const PackWriter& writer) {
  ReadIdentity read;
  read.photos.reserve(identity.photos.size());
  for (const size_t i : identity.photos) {
    StatusOr<std::string> image = source.Read(i);
    if (!image.ok()) {
      read.bad.push_back(image.status());
      continue;
    }
    std::string name = source.short_name(i);
    // The size asked for may be another than in the run that was interrupted.
    if (crop.has_value() || !writer.Holds(name, *image)) {
      if (const Status fit = CheckPhoto(*image, crop); !fit.ok()) {
        read.bad.push_back(Annotate(fit, source.name(i)));
        continue;
      }
    }
    read.photos.push_back({.name = std::move(name), .image = *std::move(image)});
  }
  return read;
}

}  // namespace

StatusOr<PackReport> WritePack(const PackOptions& options, const PackEvents& events) {
  FACEGATE_ASSIGN_OR_RETURN(const SourceSet set,
                            OpenSourceSet(options.sources, options.list_root, options.missing));
  const MergedIdentities& merged = set.merged;
  PackReport report;
  report.remarks = set.remarks;
  FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<PackWriter> writer,
                            PackWriter::Open(options.out));
  report.renamed_identities = merged.renamed;
  report.continued_from = writer->found();
  if (events.started) events.started(set.photos);
  std::vector<std::string> classes;
  const auto make = [&](size_t i) -> StatusOr<ReadIdentity> {
    const Identity& identity = merged.identities[i];
    return ReadPhotos(*set.sources[identity.source], identity, options.crop, *writer);
  };
  const auto take = [&](size_t i, const ReadIdentity& read) -> Status {
    for (const Status& bad : read.bad) {
      ++report.bad_photos;
      if (events.bad_photo) events.bad_photo(bad);
    }
    for (size_t n = 0; events.read && n < merged.identities[i].photos.size(); ++n) events.read();
    if (read.photos.size() < options.min_photos) {
      ++report.small_identities;
      report.photos_of_small += read.photos.size();
      return OkStatus();
    }
    const auto label = static_cast<uint32_t>(classes.size());
    classes.push_back(merged.identities[i].name);
    for (const ReadIdentity::Photo& photo : read.photos) {
      FACEGATE_RETURN_IF_ERROR(
          writer->Append({.label = label, .name = photo.name, .image = photo.image}));
    }
    return OkStatus();
  };
  const size_t ahead = kAheadPerThread * static_cast<size_t>(options.threads);
  FACEGATE_RETURN_IF_ERROR(
      OrderedWork<ReadIdentity>::Run(merged.identities.size(), options.threads, ahead, make, take));
  if (classes.empty()) {
    return InvalidArgument(fmt::format(
        "nothing to pack: no identity has {} readable photos or more ({} photos are bad)",
        options.min_photos, report.bad_photos));
  }
  report.identities = classes.size();
  FACEGATE_ASSIGN_OR_RETURN(report.pack, writer->Finish(classes));
  return report;
}

}  // namespace facegate
