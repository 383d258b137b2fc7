#pragma once

#include <cstddef>
#include <functional>
#include <opencv2/core/types.hpp>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/open_dataset.h"
#include "trainer/photos/pack_writer.h"
#include "trainer/photos/photo_source.h"

namespace facegate {

struct PackOptions {
  std::vector<std::string> sources{};  // see OpenPhotoSource(); one or more
  std::string list_root{};             // of the paths in lists; empty for the list's own folder
  MissingPhotos missing = MissingPhotos::kRefuse;
  std::string out{};
  // Identities with fewer readable photos are left out, >= 1.
  size_t min_photos = 1;
  // Photos of another size count as bad.
  std::optional<cv::Size> crop{};
  int threads = 2;  // that read and decode, >= 1
};

struct PackReport {
  PackSummary pack{};
  size_t identities = 0;
  size_t bad_photos = 0;               // left out, each was named
  size_t small_identities = 0;         // left out for min_photos
  size_t photos_of_small = 0;          // their readable photos
  size_t renamed_identities = 0;       // because another source has one of the same name
  size_t continued_from = 0;           // records of an interrupted run
  std::vector<std::string> remarks{};  // how the sources were read, a line each
};

struct PackEvents {
  // Is told once how many photos there are to read.
  std::function<void(size_t)> started;
  std::function<void()> read;  // one more photo
  std::function<void(const Status&)> bad_photo;
};

// Identities of all sources, in the order of the sources; labels of the second come after those of
// the first. A name that several sources have gets the name of its source in front
// ("casia/0000045").
struct MergedIdentities {
  struct Identity {
    size_t source = 0;
    std::string name{};
    std::vector<size_t> photos{};  // numbers in the source
  };
  std::vector<Identity> identities;  // those with photos
  size_t renamed = 0;
};
// `names` are what the sources are called, one for each.
MergedIdentities MergeIdentities(const std::vector<const PhotoSource*>& sources,
                                 const std::vector<std::string>& names);

// Writes all readable photos of the sources into one pack, an identity after another.
StatusOr<PackReport> WritePack(const PackOptions& options, const PackEvents& events);

}  // namespace facegate
