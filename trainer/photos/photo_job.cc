#include "trainer/photos/photo_job.h"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <utility>

#include "trainer/photos/ordered_work.h"
#include "trainer/photos/shown_name.h"

namespace facegate {
namespace {

// Parts that are read beyond the one that is written, for each thread.
constexpr size_t kAheadPerThread = 4;
constexpr size_t kPhotosOfPart = 8;

using Identity = MergedIdentities::Identity;

// Photos of an identity that are read at once, by their places in it.
struct Part {
  size_t identity = 0;
  size_t begin = 0;
  size_t end = 0;
};

// The photos of a part, as they were read.
struct ReadPart {
  std::vector<CheckedPhoto> photos;
  std::vector<Status> bad;
};

std::vector<Part> PartsOf(std::span<const Identity> identities) {
  std::vector<Part> parts;
  for (size_t i = 0; i < identities.size(); ++i) {
    const size_t count = identities[i].photos.size();
    for (size_t begin = 0; begin < count; begin += kPhotosOfPart) {
      parts.push_back(
          {.identity = i, .begin = begin, .end = std::min(count, begin + kPhotosOfPart)});
    }
  }
  return parts;
}

Status CheckPhoto(std::string_view image, const std::optional<cv::Size>& crop) {
  FACEGATE_ASSIGN_OR_RETURN(const cv::Mat picture, DecodeTrainingPhoto(image));
  if (crop.has_value() && picture.size() != *crop) {
    return InvalidArgument(fmt::format("{} x {} pixels, expected {} x {}", picture.cols,
                                       picture.rows, crop->width, crop->height));
  }
  return OkStatus();
}

// The photo at a place of an identity. An error names it.
StatusOr<CheckedPhoto> ReadPhoto(const SourceSet& set, size_t number, size_t place,
                                 const std::optional<cv::Size>& crop, const PhotoSink& sink) {
  const Identity& identity = set.merged.identities[number];
  const PhotoSource& source = *set.sources[identity.source];
  const size_t i = identity.photos[place];
  CheckedPhoto photo{.place = place, .name = source.short_name(i), .image = {}};
  const auto is_bad = [&](const Status& why) { return Annotate(why, ShownName(source.name(i))); };
  if (const Status fit = sink.CheckNames(number, photo.name); !fit.ok()) return is_bad(fit);
  FACEGATE_ASSIGN_OR_RETURN(photo.image, source.Read(i));
  // The size asked for may be another than in the run that was interrupted.
  if (!crop.has_value() && sink.Holds(number, photo)) return photo;
  if (const Status fit = CheckPhoto(photo.image, crop); !fit.ok()) return is_bad(fit);
  return photo;
}

// Hands the sink the photos of identities that have enough of them.
class Handover {
 public:
  Handover(const SourceSet& set, const PhotoJobOptions& options, const PhotoJobEvents& events,
           PhotoSink& sink)
      : identities_(set.merged.identities),
        min_photos_(options.min_photos),
        events_(events),
        sink_(sink),
        report_{.renamed_identities = set.merged.renamed, .remarks = set.remarks} {}

  // Parts come in their order.
  Status Take(const Part& part, ReadPart read) {
    for (const Status& bad : read.bad) {
      ++report_.bad_photos;
      if (events_.bad_photo) events_.bad_photo(bad);
    }
    for (size_t n = part.begin; events_.read && n < part.end; ++n) events_.read();
    if (part.begin == 0) has_enough_ = false;
    std::move(read.photos.begin(), read.photos.end(), std::back_inserter(waiting_));
    if (!has_enough_ && waiting_.size() >= min_photos_) {
      has_enough_ = true;
      ++report_.identities;
    }
    if (has_enough_) return HandOver(part.identity);
    if (part.end == identities_[part.identity].photos.size()) LeaveOut();
    return OkStatus();
  }

  PhotoJobReport Finish() { return std::move(report_); }

 private:
  Status HandOver(size_t identity) {
    const std::vector<CheckedPhoto> photos = std::exchange(waiting_, {});
    if (photos.empty()) return OkStatus();
    report_.photos += photos.size();
    return sink_.Take(identity, static_cast<uint32_t>(report_.identities - 1), photos);
  }

  void LeaveOut() {
    ++report_.small_identities;
    report_.photos_of_small += waiting_.size();
    waiting_.clear();
  }

  const std::vector<Identity>& identities_;
  const size_t min_photos_;
  const PhotoJobEvents& events_;
  PhotoSink& sink_;
  PhotoJobReport report_;
  std::vector<CheckedPhoto> waiting_;  // of the identity whose parts come
  bool has_enough_ = false;            // that identity
};

}  // namespace

StatusOr<PhotoJobReport> RunPhotoJob(const SourceSet& set, const PhotoJobOptions& options,
                                     const PhotoJobEvents& events, PhotoSink& sink) {
  const std::vector<Part> parts = PartsOf(set.merged.identities);
  Handover handover(set, options, events, sink);
  if (events.started) events.started(set.photos);
  const auto make = [&](size_t i) -> StatusOr<ReadPart> {
    ReadPart read;
    for (size_t place = parts[i].begin; place < parts[i].end; ++place) {
      StatusOr<CheckedPhoto> photo = ReadPhoto(set, parts[i].identity, place, options.crop, sink);
      if (photo.ok()) {
        read.photos.push_back(*std::move(photo));
      } else {
        read.bad.push_back(photo.status());
      }
    }
    return read;
  };
  const auto take = [&](size_t i, ReadPart read) {
    return handover.Take(parts[i], std::move(read));
  };
  const size_t ahead = kAheadPerThread * static_cast<size_t>(options.threads);
  FACEGATE_RETURN_IF_ERROR(
      OrderedWork<ReadPart>::Run(parts.size(), options.threads, ahead, make, take));
  PhotoJobReport report = handover.Finish();
  if (report.identities == 0) {
    return InvalidArgument(fmt::format(
        "nothing to write: no identity has {} readable photos or more ({} photos are bad)",
        options.min_photos, report.bad_photos));
  }
  return report;
}

}  // namespace facegate
