#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/photo_job.h"

namespace facegate {

struct ReducedSetOptions {
  std::vector<std::string> sources{};  // see OpenSourceSet()
  std::string list_root{};             // of the paths in lists; empty for the list's own folder
  MissingPhotos missing = MissingPhotos::kRefuse;
  std::string out{};          // a folder
  std::vector<int> scales{};  // 2 to kMostScale, each once
  bool flat = false;          // numbered pictures instead of a folder for each identity
  std::string network{};      // of super-resolution, whose scale is one of them; empty for none
  int threads = 0;            // 0: as many as there are cores
  static constexpr int kMostScale = 16;
};

struct ReducedSetReport {
  size_t photos = 0;  // that were written, or were there
  size_t kept = 0;    // of these, what an earlier run had written
  size_t cut = 0;     // photos, of those not kept, whose last rows or columns no scale divides
  size_t bad = 0;     // left out; each was named
  size_t identities = 0;
  std::optional<int> enlarged{};       // the scale of the network
  std::vector<std::string> remarks{};  // how the sources were read, a line each
};

// Writes each photo without loss, and as many times smaller as each of the scales by bicubic
// interpolation (ResizedBicubic()), as those sets have it from which EDSR and RCAN learn:
//
//   OUT/HR/IDENTITY/NAME.png                of sides that all scales divide
//   OUT/LR_bicubic/X2/IDENTITY/NAMEx2.png
//   OUT/SR/X4/IDENTITY/NAME.png             the small picture, enlarged by the network
//
// with NNNNNN instead of IDENTITY/NAME where it is flat, numbered from 1 on in the order of the
// photos. A run that was stopped or killed is gone on with by the same call. kFailedPrecondition
// where OUT holds anything else, was begun otherwise or with other photos (names and sizes of
// files tell), or is being worked on; kInvalidField where it lies in a source or the options do
// not fit each other; kInvalidArgument where no photo can be made smaller, after which OUT may be
// begun otherwise. A photo that cannot be made smaller, or that the network cannot enlarge, is left
// out.
StatusOr<ReducedSetReport> ReducePhotos(const ReducedSetOptions& options,
                                        const PhotoJobEvents& events);

}  // namespace facegate
