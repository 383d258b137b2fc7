#include "face/detect/face_quality.h"

#include <algorithm>
#include <cmath>

namespace facegate {
namespace {

// A component's quality grows along a line from its edge of comparability, where it is
// kDefaultProbeQuality, to what is as good as it gets, where it is 1. Components for which less is
// better have their edge above it; angles count by their size.
struct ComponentRow {
  QualityComponent component{};
  std::string_view name;
  std::string_view unit;
  std::string_view advice;
  double edge = 0.0;
  double good = 0.0;
};

// See face_quality.h for how the edges were set and judged.
constexpr std::array<ComponentRow, kQualityComponents> kRows = {{
    {QualityComponent::kInterEyeDistance, "inter_eye_distance", "px", "come closer", 9, 24},
    {QualityComponent::kSharpness, "sharpness", "px", "hold still, and clean the lens", 8, 16},
    {QualityComponent::kUnderExposure, "under_exposure", "share", "more light on the face", 0.85,
     0.3},
    {QualityComponent::kOverExposure, "over_exposure", "share", "less light on the face", 0.6, 0.1},
    {QualityComponent::kDynamicRange, "dynamic_range", "bits", "even light from the front", 4.75,
     6.2},
    {QualityComponent::kHeadRoll, "head_roll", "degrees", "hold the head upright", 60, 30},
    {QualityComponent::kHeadYaw, "head_yaw", "degrees", "look at the camera", 60, 20},
    {QualityComponent::kHeadPitch, "head_pitch", "degrees", "look straight ahead", 55, 20},
    {QualityComponent::kFacePresence, "face_presence", "probability", "show the whole face", 0.85,
     0.99},
    {QualityComponent::kLandmarkFit, "landmark_fit", "eye distances", "show the whole face", 0.25,
     0.08},
    {QualityComponent::kFaceInPicture, "face_in_picture", "share",
     "bring the face into the picture", 0.75, 1},
    {QualityComponent::kEyesVisible, "eyes_visible", "probability", "take off dark glasses", 0.12,
     0.95},
    {QualityComponent::kMouthVisible, "mouth_visible", "probability", "take off the mask", 0.3,
     0.95},
    {QualityComponent::kDetectionScore, "detection_score", "score", "look at the camera", 0.3, 0.9},
    {QualityComponent::kExpectedGenuineScore, "expected_genuine_score", "cosine",
     "more light, closer, and look at the camera", 0.43, 0.9},
    {QualityComponent::kNoise, "noise", "grey levels", "more light on the face", 7, 2},
    {QualityComponent::kCompressionArtifacts, "compression_artifacts", "ratio",
     "send the photo in better quality", 1.58, 1.35},
    {QualityComponent::kIlluminationUniformity, "illumination_uniformity", "share",
     "nothing before the face, and even light from the front", 0.17, 0.24},
}};

const ComponentRow& RowOf(QualityComponent component) {
  const auto place = static_cast<size_t>(component) - 1;
  return kRows.at(place < kRows.size() ? place : 0);
}

bool IsAngle(QualityComponent component) {
  return component == QualityComponent::kHeadRoll || component == QualityComponent::kHeadYaw ||
         component == QualityComponent::kHeadPitch;
}

}  // namespace

std::array<QualityComponent, kQualityComponents> AllQualityComponents() {
  std::array<QualityComponent, kQualityComponents> all{};
  std::transform(kRows.begin(), kRows.end(), all.begin(),
                 [](const ComponentRow& row) { return row.component; });
  return all;
}

std::string_view QualityName(QualityComponent component) { return RowOf(component).name; }
std::string_view QualityUnit(QualityComponent component) { return RowOf(component).unit; }
std::string_view QualityAdvice(QualityComponent component) { return RowOf(component).advice; }

double QualityOf(QualityComponent component, double value) {
  const ComponentRow& row = RowOf(component);
  const double size = IsAngle(component) ? std::abs(value) : value;
  const double way = (size - row.edge) / (row.good - row.edge);
  const double quality = kDefaultProbeQuality + (1 - kDefaultProbeQuality) * way;
  // NaN is no quality either.
  return quality > 0 ? std::min(quality, 1.0) : 0.0;
}

double ValueOfQuality(QualityComponent component, double quality, double value) {
  const ComponentRow& row = RowOf(component);
  const double way = (quality - kDefaultProbeQuality) / (1 - kDefaultProbeQuality);
  const double size = row.edge + way * (row.good - row.edge);
  return IsAngle(component) && value < 0 ? -size : size;
}

std::vector<Shortcoming> ShortcomingsOf(const FaceQuality& quality, double wanted) {
  std::vector<ComponentQuality> low;
  std::copy_if(quality.components.begin(), quality.components.end(), std::back_inserter(low),
               [&](const ComponentQuality& one) { return one.quality < wanted; });
  std::stable_sort(
      low.begin(), low.end(),
      [](const ComponentQuality& a, const ComponentQuality& b) { return a.quality < b.quality; });
  std::vector<Shortcoming> shortcomings;
  shortcomings.reserve(low.size());
  for (const ComponentQuality& one : low) {
    shortcomings.push_back({.component = one.component,
                            .value = one.value,
                            .wanted = ValueOfQuality(one.component, wanted, one.value)});
  }
  return shortcomings;
}

FaceQuality Combine(std::vector<ComponentQuality> components) {
  std::sort(components.begin(), components.end(),
            [](const ComponentQuality& a, const ComponentQuality& b) {
              return a.component < b.component;
            });
  FaceQuality quality{.score = components.empty() ? 0.0 : 1.0, .components = {}};
  for (const ComponentQuality& one : components) {
    quality.score = std::min(quality.score, one.quality);
  }
  quality.components = std::move(components);
  return quality;
}

}  // namespace facegate
