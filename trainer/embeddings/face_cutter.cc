#include "trainer/embeddings/face_cutter.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <sstream>
#include <utility>
#include <vector>

#include "face/detect/choose.h"
#include "face/detect/selection.h"
#include "face/weights/bundled_landmarks.h"
#include "face/weights/bundled_quality.h"
#include "trainer/photos/centre_crop.h"
#include "trainer/photos/text_lines.h"

namespace facegate {
namespace {

constexpr size_t kPoints = 5;

Status CheckOptions(const FaceCutOptions& options) {
  const bool detector =
      options.detector.has_value() || options.yunet.has_value() || options.landmark_net.has_value();
  const bool crops = options.crops || options.centre_crop != 0;
  if ((detector ? 1 : 0) + (options.landmarks ? 1 : 0) + (crops ? 1 : 0) > 1) {
    return RefuseField(
        options.landmarks ? "--landmarks" : "--crops",
        "choose one way to a crop: --landmarks, a detector (--detector, --yunet, --landmark-net), "
        "or crops as they are (--crops, --centre-crop)");
  }
  if (options.centre_crop < 0) {
    return RefuseField("--centre-crop",
                       fmt::format("is {} pixels, expected 1 or more", options.centre_crop));
  }
  return OkStatus();
}

// OK, or what is short: "not good enough to be compared: sharpness is 11 px, 17 wanted".
Status CheckQuality(const FaceQuality& quality, double wanted) {
  if (quality.score >= wanted) return OkStatus();
  std::string text;
  for (const Shortcoming& one : ShortcomingsOf(quality, wanted)) {
    text +=
        fmt::format("{}{} is {:.3g} {}, {:.3g} wanted", text.empty() ? "" : "; ",
                    QualityName(one.component), one.value, QualityUnit(one.component), one.wanted);
  }
  return InvalidArgument("not good enough to be compared: " + text);
}

}  // namespace

StatusOr<LandmarkTable> ReadLandmarks(const std::string& path) {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<std::string> lines, ReadLines(path));
  LandmarkTable table;
  for (size_t i = 0; i < lines.size(); ++i) {
    const size_t tab = lines[i].find('\t');
    std::string name = tab == std::string::npos ? "" : lines[i].substr(0, tab);
    std::istringstream fields(name.empty() ? lines[i] : lines[i].substr(tab));
    if (name.empty()) fields >> name;
    Landmarks points(kPoints);
    for (cv::Point2f& point : points) fields >> point.x >> point.y;
    const bool finite = std::all_of(points.begin(), points.end(), [](const cv::Point2f& point) {
      return std::isfinite(point.x) && std::isfinite(point.y);
    });
    if (!fields || !finite) {
      return InvalidArgument(
          fmt::format("{}, line {}: expected a name and ten numbers", path, i + 1));
    }
    table.insert_or_assign(std::move(name), std::move(points));
  }
  return table;
}

StatusOr<std::unique_ptr<FaceCutter>> FaceCutter::Create(const FaceCutOptions& options,
                                                         AlignmentTemplate alignment) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  std::unique_ptr<FaceCutter> cutter(new FaceCutter(options, alignment));
  if (options.landmarks) {
    FACEGATE_ASSIGN_OR_RETURN(cutter->landmarks_, ReadLandmarks(*options.landmarks));
  } else if (!options.crops && options.centre_crop == 0) {
    FACEGATE_ASSIGN_OR_RETURN(cutter->detector_,
                              ChooseDetector({.detector = options.detector,
                                              .yunet = options.yunet,
                                              .landmark_net = options.landmark_net}));
  }
  if (options.measure_quality || options.probe_quality > 0.0) {
    FACEGATE_ASSIGN_OR_RETURN(LandmarkWeights landmarks, BundledLandmarkWeights());
    FACEGATE_ASSIGN_OR_RETURN(QualityWeights quality, BundledQualityWeights());
    FACEGATE_ASSIGN_OR_RETURN(cutter->meter_,
                              CreateQualityMeter(std::move(landmarks), std::move(quality)));
  }
  return cutter;
}

bool FaceCutter::IsCrop(const Image& photo) const {
  return options_.crops || options_.centre_crop != 0 ||
         (detects() && photo.bgr.size() == CropSize(alignment_));
}

StatusOr<AlignedFace> FaceCutter::TakeCrop(const Image& photo) const {
  const cv::Size size = CropSize(alignment_);
  if (options_.centre_crop != 0) {
    FACEGATE_ASSIGN_OR_RETURN(cv::Mat crop, CentreCrop(photo.bgr, options_.centre_crop, size));
    return AlignedFace{.bgr = std::move(crop)};
  }
  std::optional<cv::Mat> crop = CropIn(photo.bgr, alignment_);
  if (crop.has_value()) return AlignedFace{.bgr = *std::move(crop)};
  return InvalidArgument(fmt::format("is {} x {} pixels, expected an aligned crop of {} x {}",
                                     photo.width(), photo.height(), size.width, size.height));
}

StatusOr<std::vector<DetectedFace>> FaceCutter::FindFaces(const std::string& name,
                                                          const Image& photo) const {
  std::vector<DetectedFace> faces;
  if (options_.landmarks) {
    const auto found = landmarks_.find(name);
    if (found == landmarks_.end()) return NotFound("there are no landmarks for it");
    DetectedFace& face = faces.emplace_back();
    face.landmarks = found->second;
    face.score = 1.0F;
  } else {
    FACEGATE_ASSIGN_OR_RETURN(faces, detector_->Detect(photo));
  }
  return SelectFaces(faces, {.selection = FaceSelection::kAll, .box = {}}, photo.bgr.size());
}

StatusOr<DetectedFace> FaceCutter::FindFace(const std::string& name, const Image& photo) const {
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<DetectedFace> faces, FindFaces(name, photo));
  FACEGATE_ASSIGN_OR_RETURN(
      std::vector<DetectedFace> chosen,
      SelectFaces(faces, {.selection = FaceSelection::kCentral, .box = {}}, photo.bgr.size()));
  return std::move(chosen.front());
}

StatusOr<JudgedCrop> FaceCutter::CutFace(const Image& photo, const DetectedFace& face) const {
  JudgedCrop judged;
  FACEGATE_ASSIGN_OR_RETURN(judged.face, AlignFace(photo, face.landmarks, alignment_));
  if (meter_ != nullptr) {
    FACEGATE_ASSIGN_OR_RETURN(const FaceQuality quality, meter_->OfFace(photo, face));
    FACEGATE_RETURN_IF_ERROR(CheckQuality(quality, options_.probe_quality));
    judged.quality = quality.score;
  }
  return judged;
}

StatusOr<JudgedCrop> FaceCutter::CutAndJudge(const std::string& name, const Image& photo) const {
  if (!IsCrop(photo)) {
    FACEGATE_ASSIGN_OR_RETURN(const DetectedFace face, FindFace(name, photo));
    return CutFace(photo, face);
  }
  FACEGATE_ASSIGN_OR_RETURN(AlignedFace crop, TakeCrop(photo));
  return JudgeCrop(std::move(crop));
}

StatusOr<JudgedCrop> FaceCutter::JudgeCrop(AlignedFace crop) const {
  JudgedCrop judged{.face = std::move(crop)};
  if (meter_ != nullptr) {
    FACEGATE_ASSIGN_OR_RETURN(const FaceQuality quality, meter_->OfCrop(judged.face, alignment_));
    FACEGATE_RETURN_IF_ERROR(CheckQuality(quality, options_.probe_quality));
    judged.quality = quality.score;
  }
  return judged;
}

StatusOr<AlignedFace> FaceCutter::Cut(const std::string& name, const Image& photo) const {
  FACEGATE_ASSIGN_OR_RETURN(JudgedCrop judged, CutAndJudge(name, photo));
  return std::move(judged.face);
}

std::string FaceCutter::description() const {
  if (options_.probe_quality <= 0.0) return CropDescription();
  return fmt::format("{} of quality {:g} or more", CropDescription(), options_.probe_quality);
}

std::string FaceCutter::CropDescription() const {
  if (detector_ != nullptr) return detector_->name();
  if (options_.landmarks) return "landmarks";
  if (options_.centre_crop != 0) return fmt::format("centre crop {}", options_.centre_crop);
  return "crops";
}

}  // namespace facegate
