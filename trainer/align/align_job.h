#pragma once

#include <cstddef>
#include <functional>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "face/image/image_format.h"
#include "trainer/align/photo_cutter.h"
#include "trainer/photos/photo_source.h"

namespace facegate {

struct AlignOptions {
  std::vector<std::string> sources{};  // see OpenSourceSet()
  std::string list_root{};             // of the paths in lists; empty for the list's own folder
  MissingPhotos missing = MissingPhotos::kRefuse;
  // A folder, which gets IDENTITY/NAME.png; or a pack, where the name ends in ".pack", and then
  // OUT.align is the folder of the manifest.
  std::string out{};
  PhotoCutOptions cut{};
  ImageFormat format = ImageFormat::kPng;  // or kJpeg, of quality 95
  // Photos that give no crop are copied to QUARANTINE/IDENTITY/NAME; empty for OUT.quarantine.
  std::string quarantine{};
  bool use_quarantine = true;
  int threads = 0;  // 0: as many as there are cores
};

struct AlignReport {
  size_t photos = 0;
  size_t resumed = 0;                     // photos that an earlier run had done
  size_t aligned = 0;                     // crops of faces
  size_t fallback = 0;                    // crops of the middle
  size_t others = 0;                      // faces without a crop in photos that have another one
  std::map<CutStatus, size_t> dropped{};  // photos without a crop
  size_t identities = 0;                  // with a crop
  std::vector<std::string> without{};     // identities whose photos were all dropped
  std::string manifest{};
  std::optional<std::string> sheet{};       // of dropped photos
  std::optional<std::string> quarantine{};  // where any are
  std::vector<std::string> remarks{};       // how the sources were read, a line each

  size_t dropped_photos() const;
  // "10 no-face, 3 undecodable"; empty without any.
  std::string DroppedText() const;
};

struct AlignEvents {
  // A run that goes on is told of each photo whose crops it finds from before, and once of how many
  // these are at the most.
  std::function<void(size_t)> resuming{};
  std::function<void()> found{};
  // Is told once how many photos are left to do.
  std::function<void(size_t)> started{};
  std::function<void()> done{};  // one more photo
};

// Cuts the faces out of all photos of the sources and writes a manifest (manifest.h), which lies
// with the record of the options (work_record.h) beside the crops. A run that was stopped, killed
// or cut off by a power loss is gone on with by the same call and comes to the same bytes; one that
// is done is told of again. kFailedPrecondition where OUT holds anything else, was begun otherwise,
// or is being worked on. kInvalidArgument where no photo gives a crop; the manifest is written all
// the same.
StatusOr<AlignReport> AlignPhotos(const AlignOptions& options, const AlignEvents& events);

}  // namespace facegate
