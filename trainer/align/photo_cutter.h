#pragma once

#include <cstddef>
#include <memory>
#include <opencv2/core/mat.hpp>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/detect/detector.h"
#include "face/image/align.h"
#include "trainer/embeddings/face_cutter.h"

namespace facegate {

// What became of a face, or of a photo without one. Names are written to manifests: do not change
// them.
enum class CutStatus {
  kAligned,
  kFallback,      // no face; the middle of the photo was taken
  kNoFace,        // none was found
  kNotAlignable,  // one was found whose landmarks give no crop
  kUndecodable,   // the bytes are no picture
  kUnreadable,    // the bytes could not be read
};

// "aligned", "fallback", "no-face", "not-alignable", "undecodable", "unreadable".
std::string_view CutStatusName(CutStatus status);
std::optional<CutStatus> CutStatusFromName(std::string_view name);
// True of the first two, which have a crop.
inline bool HasCrop(CutStatus status) {
  return status == CutStatus::kAligned || status == CutStatus::kFallback;
}

// Which of several faces of a photo are cut out.
enum class FaceChoice {
  kCentral,       // as evaluation and comparison choose: see FaceSelection
  kLargest,       // by the area of the box
  kMostProbable,  // by the detector's own score
  kAll,
};
// "central", "largest", "most-probable", "all".
std::string_view FaceChoiceName(FaceChoice choice);

struct PhotoCutOptions {
  FaceCutOptions faces{};  // by landmarks or a detector; the quality is measured always
  CropView view{};
  FaceChoice choice = FaceChoice::kCentral;
  bool fallback = false;  // a photo of which no face can be cut out gives its middle
};

struct FaceCut {
  CutStatus status = CutStatus::kAligned;
  cv::Mat crop{};                      // 8-bit BGR of the view's size; empty without a crop
  std::optional<DetectedFace> face{};  // nothing where none was found
  std::optional<double> quality{};     // 0..1, see FaceQuality; of aligned faces
  std::string reason{};                // what went wrong; empty for aligned faces
};

struct PhotoCuts {
  size_t found = 0;  // faces
  // One or more: those that were chosen, the most probable first; or what stands for the photo.
  std::vector<FaceCut> cuts;
};

// Cuts faces out of encoded photos by the code that serves: its decoder, its detectors, its
// alignment. Thread-safe.
class PhotoCutter {
 public:
  // Errors are those of FaceCutter::Create() and of CutView() for the size.
  static StatusOr<std::unique_ptr<PhotoCutter>> Create(const PhotoCutOptions& options);

  // `name` is the photo's in the table of landmarks. What is wrong with a photo is in the answer;
  // an error is one of the detector.
  StatusOr<PhotoCuts> Cut(const std::string& name, std::string_view encoded) const;

  // Tells how faces are found, for records: the detector's name, or the digest of the landmarks.
  const std::string& description() const { return description_; }

 private:
  PhotoCutter(const PhotoCutOptions& options, std::unique_ptr<FaceCutter> cutter,
              std::string description)
      : options_(options), cutter_(std::move(cutter)), description_(std::move(description)) {}

  StatusOr<FaceCut> CutFace(const Image& photo, const DetectedFace& face) const;
  StatusOr<cv::Mat> Middle(const Image& photo) const;

  const PhotoCutOptions options_;
  const std::unique_ptr<FaceCutter> cutter_;
  const std::string description_;
};

}  // namespace facegate
