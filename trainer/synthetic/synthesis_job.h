#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>

#include "face/base/status.h"
#include "trainer/synthetic/synthetic_face.h"

namespace facegate::synthetic {

struct SynthesisOptions {
  std::string directory{};  // made where it is absent
  uint64_t seed = 1;
  uint64_t first_identity = 0;
  size_t identities = 100;  // >= 1
  size_t views = 20;        // pictures of each, >= 1
  bool crops = false;       // aligned crops of 112x112 instead of whole pictures
  PictureOptions picture{};
  bool force = false;  // draw files anew that exist
  int threads = 2;     // that draw, >= 1
};

struct SynthesisReport {
  size_t drawn = 0;
  size_t kept = 0;  // files that were there
};

// Writes directory/0007/003.png (identity, view), landmarks.txt (a line a picture: its path below
// the directory, x and y of the five landmarks in pixels, 1.000 as score; tabs between) and
// synthetic.json (what all pictures share). Files that exist are kept, so an interrupted run goes
// on where it stopped, and a directory grows by more identities or views. kFailedPrecondition where
// the directory holds pictures of another seed, size or difficulty and `force` is not set.
// `one_done` is called from several threads, one at a time.
StatusOr<SynthesisReport> WriteSyntheticPhotos(const SynthesisOptions& options,
                                               const std::function<void()>& one_done);

}  // namespace facegate::synthetic
