#include "tests/bench/degraded_photos.h"

#include <fmt/format.h>

#include <algorithm>
#include <bit>
#include <utility>

#include "face/base/file.h"
#include "face/detect/choose.h"
#include "face/detect/selection.h"
#include "face/image/decode.h"
#include "face/weights/bundled_landmarks.h"
#include "face/weights/bundled_quality.h"
#include "tests/bench/lfw_people.h"
#include "trainer/embeddings/face_cutter.h"

namespace facegate {
namespace {

namespace fs = std::filesystem;

constexpr uint64_t kMaxPhotoBytes = 1 << 20;
constexpr uint64_t kSeed = 14;

StatusOr<KnownPhoto> ReadKnownPhoto(const fs::path& data, const fs::path& file,
                                    const LandmarkTable& landmarks) {
  KnownPhoto photo{.name = fs::relative(file, data / "lfw/photos").string()};
  const auto found = landmarks.find(photo.name);
  if (found == landmarks.end()) {
    return NotFound(fmt::format("lfw/landmarks.txt does not have {}", photo.name));
  }
  photo.landmarks = found->second;
  FACEGATE_ASSIGN_OR_RETURN(photo.image, ReadPhoto(data, photo.name));
  return photo;
}

}  // namespace

StatusOr<TwoPhotosEach> ReadTwoPhotosEach(const fs::path& data, size_t people) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<LfwPerson> all,
                            ReadLfwPeople(data / "lfw/photos", 0));
  FACEGATE_ASSIGN_OR_RETURN(const LandmarkTable landmarks,
                            ReadLandmarks((data / "lfw/landmarks.txt").string()));
  if (people > all.size()) {
    return InvalidArgument(
        fmt::format("there are {} people with two photos or more, not {}", all.size(), people));
  }
  TwoPhotosEach photos;
  for (size_t i = 0; i < people; ++i) {
    const LfwPerson& person = all[i * all.size() / people];
    FACEGATE_ASSIGN_OR_RETURN(KnownPhoto enrolled,
                              ReadKnownPhoto(data, person.enrolled, landmarks));
    FACEGATE_ASSIGN_OR_RETURN(KnownPhoto probe,
                              ReadKnownPhoto(data, person.probes.front(), landmarks));
    photos.enrolled.push_back(std::move(enrolled));
    photos.probes.push_back(std::move(probe));
  }
  return photos;
}

StatusOr<std::vector<std::string>> ListPhotos(const fs::path& data) {
  FACEGATE_ASSIGN_OR_RETURN(const LandmarkTable landmarks,
                            ReadLandmarks((data / "lfw/landmarks.txt").string()));
  std::vector<std::string> names;
  names.reserve(landmarks.size());
  for (const auto& [name, points] : landmarks) names.push_back(name);
  std::sort(names.begin(), names.end());
  return names;
}

StatusOr<Image> ReadPhoto(const fs::path& data, const std::string& name) {
  FACEGATE_ASSIGN_OR_RETURN(const std::string bytes,
                            ReadFile((data / "lfw/photos" / name).string(), kMaxPhotoBytes));
  return DecodeImage(bytes, {});
}

StatusOr<Image> DegradePhoto(const KnownPhoto& photo, const Degradation& cell, size_t number) {
  RandomStream random(kSeed, static_cast<uint64_t>(cell.kind),
                      std::bit_cast<uint64_t>(cell.strength), number);
  FACEGATE_ASSIGN_OR_RETURN(cv::Mat bgr, Degrade(photo.image.bgr, photo.landmarks, cell, random));
  return Image{.bgr = std::move(bgr)};
}

StatusOr<std::unique_ptr<ServerView>> ServerView::Create(std::string_view detector,
                                                         const fs::path& data) {
  DetectorChoice choice{.detector = std::string(detector)};
  if (detector == "yunet") choice.yunet = (data / "detectors/yunet_n_dynamic.onnx").string();
  FACEGATE_ASSIGN_OR_RETURN(auto chosen, ChooseDetector(choice));
  FACEGATE_ASSIGN_OR_RETURN(LandmarkWeights landmarks, BundledLandmarkWeights());
  FACEGATE_ASSIGN_OR_RETURN(QualityWeights quality, BundledQualityWeights());
  FACEGATE_ASSIGN_OR_RETURN(auto meter,
                            CreateQualityMeter(std::move(landmarks), std::move(quality)));
  return std::unique_ptr<ServerView>(new ServerView(std::move(chosen), std::move(meter)));
}

StatusOr<SeenPhoto> ServerView::See(const Image& image,
                                    std::span<const AlignmentTemplate> templates) const {
  SeenPhoto seen;
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<DetectedFace> faces, detector_->Detect(image));
  if (faces.empty()) return seen;
  FACEGATE_ASSIGN_OR_RETURN(
      std::vector<DetectedFace> central,
      SelectFaces(faces, {.selection = FaceSelection::kCentral, .box = {}}, image.bgr.size()));
  seen.detected = std::move(central.front());
  if (seen.detected.landmarks.empty()) return seen;
  for (const AlignmentTemplate alignment : templates) {
    StatusOr<AlignedFace> crop = AlignFace(image, seen.detected.landmarks, alignment);
    if (!crop.ok()) {
      if (ReasonOf(crop.status()) != Reason::kNoFace) return crop.status();
      seen.crops.clear();
      return seen;
    }
    seen.crops.push_back(*std::move(crop));
  }
  seen.face = true;
  FACEGATE_ASSIGN_OR_RETURN(seen.quality, meter_->OfFace(image, seen.detected));
  return seen;
}

}  // namespace facegate
