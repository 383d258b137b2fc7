#pragma once

#include <filesystem>
#include <memory>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"
#include "face/detect/detector.h"
#include "face/detect/face_quality.h"
#include "face/detect/quality_meter.h"
#include "face/image/align.h"
#include "face/image/image.h"
#include "trainer/photos/degradation.h"

namespace facegate {

// A photo and where the landmarks of its face are.
struct KnownPhoto {
  std::string name;
  Image image{};
  Landmarks landmarks{};
};

// Two photos of each of some people, none of whom is another one: the first photos are enrolled,
// the second ones are probes. Both in the same order of people.
struct TwoPhotosEach {
  std::vector<KnownPhoto> enrolled;
  std::vector<KnownPhoto> probes;
};
// Reads photos of `data`/lfw; people are evenly spread over those with two photos or more.
StatusOr<TwoPhotosEach> ReadTwoPhotosEach(const std::filesystem::path& data, size_t people);

// All photos of `data`/lfw/landmarks.txt, by path below the folder of photos.
StatusOr<std::vector<std::string>> ListPhotos(const std::filesystem::path& data);
StatusOr<Image> ReadPhoto(const std::filesystem::path& data, const std::string& name);

// `photo` degraded; what is random in it follows from the cell and the photo's number.
StatusOr<Image> DegradePhoto(const KnownPhoto& photo, const Degradation& cell, size_t number);

// A photo as a server sees it.
struct SeenPhoto {
  bool face = false;
  DetectedFace detected;
  FaceQuality quality;
  std::vector<AlignedFace> crops;  // one for each template that was asked for; empty without a face
};

// Finds and judges faces the way a server does: the detector as it creates it, the face in the
// middle, the quality of it. Thread-safe.
class ServerView {
 public:
  // `detector` is "haar" or "yunet" (of `data`/detectors).
  static StatusOr<std::unique_ptr<ServerView>> Create(std::string_view detector,
                                                      const std::filesystem::path& data);

  StatusOr<SeenPhoto> See(const Image& image, std::span<const AlignmentTemplate> templates) const;

 private:
  ServerView(std::unique_ptr<Detector> detector, std::unique_ptr<QualityMeter> meter)
      : detector_(std::move(detector)), meter_(std::move(meter)) {}

  const std::unique_ptr<Detector> detector_;
  const std::unique_ptr<QualityMeter> meter_;
};

}  // namespace facegate
