#pragma once

#include <memory>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "face/base/status.h"
#include "face/detect/detector.h"
#include "face/detect/quality_meter.h"
#include "face/image/align.h"
#include "face/image/image.h"

namespace facegate {

// Five landmarks of photos by name, from a text file: in each line, separated by tabs or blanks,
// the name (which may hold blanks where a tab follows it), ten numbers (x y of each point, in the
// order of Landmarks, pixels), and anything after them. kInvalidArgument names the line.
using LandmarkTable = std::unordered_map<std::string, Landmarks>;
StatusOr<LandmarkTable> ReadLandmarks(const std::string& path);

// Says how the face of a photo becomes a crop. One way at most is chosen: landmarks, a detector, or
// photos that are crops already.
struct FaceCutOptions {
  std::optional<std::string> landmarks{};  // a file for ReadLandmarks()
  // See DetectorChoice.
  std::optional<std::string> detector{};
  std::optional<std::string> yunet{};         // the ONNX file
  std::optional<std::string> landmark_net{};  // for haar, see DetectorChoice
  bool crops = false;                         // each photo is an aligned crop
  // Each photo is an aligned crop with more around it, of which CentreCrop() takes so many pixels
  // of height; 0: none.
  int centre_crop = 0;
  // JudgedCrop::quality is measured, by the bundled networks.
  bool measure_quality = false;
  // Faces whose quality (face/detect/face_quality.h) is below this are refused; 0: none is.
  double probe_quality = 0.0;
};

// A crop, and how fit its face is to be compared.
struct JudgedCrop {
  AlignedFace face{};
  double quality = 1.0;  // 0..1; 1 where it is not measured
};

// Finds the face of a photo and cuts it out as a model wants it. Thread-safe.
class FaceCutter {
 public:
  // kInvalidField for options that contradict each other.
  static StatusOr<std::unique_ptr<FaceCutter>> Create(const FaceCutOptions& options,
                                                      AlignmentTemplate alignment);

  // Cuts out the face. A detector's central face is taken, and a photo of exactly the crop's size
  // as cut already. `name` is the photo's in the table of landmarks.
  StatusOr<AlignedFace> Cut(const std::string& name, const Image& photo) const;

  StatusOr<JudgedCrop> CutAndJudge(const std::string& name, const Image& photo) const;

  // The parts of CutAndJudge(), for photos that are changed on the way. Whether a photo is taken as
  // cut already; else where its face is, and the face cut out there.
  bool IsCrop(const Image& photo) const;
  // All faces, the most probable first, and never none: kNoFace where a detector finds none,
  // kNotFound where there are no landmarks for `name`.
  StatusOr<std::vector<DetectedFace>> FindFaces(const std::string& name, const Image& photo) const;
  StatusOr<DetectedFace> FindFace(const std::string& name, const Image& photo) const;
  StatusOr<JudgedCrop> CutFace(const Image& photo, const DetectedFace& face) const;
  StatusOr<JudgedCrop> JudgeCrop(AlignedFace crop) const;
  // True when faces are found by a detector, which finds those of changed photos too.
  bool detects() const { return detector_ != nullptr; }
  AlignmentTemplate alignment() const { return alignment_; }

  // Tells how crops are made, for records: "landmarks", "crops", "centre crop 112" or the
  // detector's name; and the quality that is wanted.
  std::string description() const;

 private:
  FaceCutter(const FaceCutOptions& options, AlignmentTemplate alignment)
      : options_(options), alignment_(alignment) {}

  StatusOr<AlignedFace> TakeCrop(const Image& photo) const;
  std::string CropDescription() const;

  const FaceCutOptions options_;
  const AlignmentTemplate alignment_;
  LandmarkTable landmarks_;
  std::unique_ptr<Detector> detector_;   // null: by landmarks, or crops
  std::unique_ptr<QualityMeter> meter_;  // null: nothing is measured
};

}  // namespace facegate
