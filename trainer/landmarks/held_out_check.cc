#include "trainer/landmarks/held_out_check.h"

#include <algorithm>
#include <filesystem>
#include <memory>
#include <opencv2/core.hpp>
#include <optional>
#include <utility>

#include "face/base/file.h"
#include "face/detect/landmark_finder.h"
#include "face/detect/landmark_net.h"
#include "face/detect/selection.h"
#include "face/image/decode.h"

namespace facegate {
namespace {

constexpr double kLeastConfidence = 0.5;
constexpr DecodeLimits kLimits{.max_bytes = 256ULL << 20, .max_pixels = 200'000'000};

double ErrorOf(const Landmarks& points, const Landmarks& truth) {
  double sum = 0;
  const size_t count = std::min(points.size(), truth.size());
  for (size_t i = 0; i < count; ++i) sum += cv::norm(points[i] - truth[i]);
  return sum / static_cast<double>(count) / cv::norm(truth[1] - truth[0]);
}

LandmarkErrors Summarise(std::vector<double> errors, size_t photos) {
  LandmarkErrors result{.photos = photos, .found = errors.size()};
  if (errors.empty()) return result;
  std::sort(errors.begin(), errors.end());
  result.median = errors[errors.size() / 2];
  result.ninetieth = errors[errors.size() * 9 / 10];
  return result;
}

StatusOr<std::optional<FoundLandmarks>> FindIn(LandmarkNet& net, const LandmarkWeights& weights,
                                               const std::string& jpeg, const cv::Rect2d& box) {
  FACEGATE_ASSIGN_OR_RETURN(const cv::Mat patch, DecodePatch(jpeg));
  return FindLandmarks(net, patch, FrameOfBox(weights, box), kLeastConfidence);
}

}  // namespace

StatusOr<HeldOutReport> CheckHeldOut(const LandmarkWeights& weights, const LandmarkSamples& samples,
                                     const SampleSplit& split) {
  FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<LandmarkNet> net, LandmarkNet::Create(weights));
  std::vector<double> errors;
  errors.reserve(split.held_out_faces.size());
  for (const size_t i : split.held_out_faces) {
    const LandmarkSample& face = samples.faces[i];
    if (!face.box) continue;
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindIn(*net, weights, face.jpeg, *face.box));
    if (found) errors.push_back(ErrorOf(found->points, face.points));
  }
  HeldOutReport report;
  report.errors = Summarise(std::move(errors), split.held_out_faces.size());
  size_t taken = 0;
  for (const size_t i : split.held_out_negatives) {
    const NegativeSample& negative = samples.negatives[i];
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindIn(*net, weights, negative.jpeg, negative.box));
    taken += found ? 1 : 0;
  }
  if (!split.held_out_negatives.empty()) {
    report.false_share =
        static_cast<double>(taken) / static_cast<double>(split.held_out_negatives.size());
  }
  return report;
}

StatusOr<LandmarkErrors> CheckDetector(Detector& detector, const std::string& photo_folder,
                                       const OrderedLandmarks& landmarks,
                                       const std::function<void()>& on_photo) {
  std::vector<double> errors;
  errors.reserve(landmarks.size());
  for (const auto& [name, truth] : landmarks) {
    const std::string path = (std::filesystem::path(photo_folder) / name).string();
    FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kLimits.max_bytes));
    const StatusOr<Image> photo = DecodeImage(bytes, kLimits);
    if (!photo.ok()) return Annotate(photo.status(), path);
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<DetectedFace> faces, detector.Detect(*photo));
    const auto chosen =
        SelectFaces(faces, {.selection = FaceSelection::kCentral, .box = {}}, photo->bgr.size());
    if (chosen.ok() && !chosen->front().landmarks.empty()) {
      errors.push_back(ErrorOf(chosen->front().landmarks, truth));
    }
    on_photo();
  }
  return Summarise(std::move(errors), landmarks.size());
}

}  // namespace facegate
