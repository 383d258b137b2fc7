#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <opencv2/core/types.hpp>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/photo_source.h"
#include "trainer/photos/source_set.h"

// Turns sets of photos into another one: what packing and converting have in common.
namespace facegate {

struct PhotoJobOptions {
  std::vector<std::string> sources{};  // see OpenPhotoSource(); one or more
  std::string list_root{};             // of the paths in lists; empty for the list's own folder
  MissingPhotos missing = MissingPhotos::kRefuse;
  // Identities with fewer readable photos are left out, >= 1.
  size_t min_photos = 1;
  // Photos of another size count as bad.
  std::optional<cv::Size> crop{};
  int threads = 2;  // that read and decode, >= 1
};

struct PhotoJobReport {
  size_t photos = 0;
  size_t identities = 0;
  size_t bad_photos = 0;               // left out, each was named
  size_t small_identities = 0;         // left out for min_photos
  size_t photos_of_small = 0;          // their readable photos
  size_t renamed_identities = 0;       // because another source has one of the same name
  std::vector<std::string> remarks{};  // how the sources were read, a line each
};

struct PhotoJobEvents {
  // Is told once how many photos there are to read.
  std::function<void(size_t)> started;
  std::function<void()> read;  // one more photo
  std::function<void(const Status&)> bad_photo;
};

// A photo that was read and decodes.
struct CheckedPhoto {
  size_t place = 0;  // among the photos of its identity, bad ones included
  std::string name;  // PhotoSource::short_name()
  std::string image;
};

// Takes the photos of a job.
class PhotoSink {
 public:
  virtual ~PhotoSink() = default;

  // Says why a photo of this name cannot be taken: it counts as bad. `identity` is a place in
  // MergedIdentities. Called on many threads at once, as is Holds().
  virtual Status CheckNames(size_t /*identity*/, const std::string& /*name*/) const {
    return OkStatus();
  }
  // True when an interrupted run has left this photo: it was checked then.
  virtual bool Holds(size_t identity, const CheckedPhoto& photo) const = 0;
  // Photos of the identity with this label, one or more, which has min_photos or more. Those of one
  // identity come in one call or in several, one after the other; labels come in their order.
  virtual Status Take(size_t identity, uint32_t label, std::span<const CheckedPhoto> photos) = 0;
};

// Reads all photos, and hands the sink those that decode, identity by identity. What is held in
// memory does not grow with the photos of an identity, but for those that min_photos waits for.
// kInvalidArgument when no identity has enough.
StatusOr<PhotoJobReport> RunPhotoJob(const SourceSet& set, const PhotoJobOptions& options,
                                     const PhotoJobEvents& events, PhotoSink& sink);

}  // namespace facegate
