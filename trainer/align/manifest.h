#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "face/detect/detector.h"
#include "trainer/align/photo_cutter.h"

// The manifest: a CSV file (RFC 4180, lines end with "\n", texts are quoted and hold no line
// breaks) whose first line names the columns, and which the trainer reads as a list of photos: it
// takes the columns "path" and "identity" and leaves out rows without a path.
namespace facegate {

struct ManifestRow {
  std::string path{};      // of the crop, below the manifest's folder; empty where there is none
  std::string identity{};  // the folder of its crops
  CutStatus status = CutStatus::kAligned;
  std::string source{};              // what the photo is called where it was read
  size_t found = 0;                  // faces in the photo
  size_t face = 0;                   // number of the row among those of the photo
  size_t faces = 1;                  // rows of the photo, >= 1
  std::optional<DetectedFace> at{};  // pixels of the upright photo
  std::optional<double> quality{};
  std::string reason{};
};

// "path,identity,status,…\n".
std::string ManifestHeader();
std::string ManifestLine(const ManifestRow& row);

// What going on needs of a row.
struct ManifestEntry {
  std::string path{};
  CutStatus status = CutStatus::kAligned;
  size_t face = 0;
  size_t faces = 1;
};

// The rows of a photo, and where they end in the manifest.
struct ManifestPhoto {
  std::vector<ManifestEntry> entries;
  size_t end = 0;  // bytes from the start of the text
};

// Reads a manifest photo by photo, whatever its end.
class ManifestReader {
 public:
  // `text` outlives it.
  explicit ManifestReader(std::string_view text);
  // The next photo of which all rows are there. Nothing where there is none, or where the text is
  // none of this program's.
  std::optional<ManifestPhoto> Next();

 private:
  std::optional<ManifestEntry> NextEntry();

  const std::string_view text_;
  size_t at_ = 0;
};

// True where `text` is a manifest of so many photos and nothing else.
bool IsWholeManifest(std::string_view text, size_t photos);

}  // namespace facegate
