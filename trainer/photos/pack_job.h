#pragma once

#include <cstddef>
#include <functional>
#include <opencv2/core/types.hpp>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/pack_writer.h"
#include "trainer/photos/photo_source.h"

namespace facegate {

struct PackOptions {
  std::vector<std::string> sources{};  // see OpenSourceSet()
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

// Writes all readable photos of the sources into one pack, an identity after another.
StatusOr<PackReport> WritePack(const PackOptions& options, const PackEvents& events);

}  // namespace facegate
