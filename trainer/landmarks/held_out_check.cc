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
constexpr DecodeLimits kLimits{.max_bytes = 256ULL << 20, .max_pixels = 200'000'000, .heif = true};

// Collects the errors of faces.
class ErrorList {
 public:
  void Add(const Landmarks& points, const Landmarks& truth) {
    const double eyes = cv::norm(truth[1] - truth[0]);
    const size_t count = std::min(points.size(), truth.size());
    double sum = 0;
    for (size_t i = 0; i < count; ++i) {
      points_.push_back(cv::norm(points[i] - truth[i]) / eyes);
      sum += points_.back();
    }
    faces_.push_back(sum / static_cast<double>(count));
  }

  LandmarkErrors Summary(size_t photos) {
    return {.photos = photos,
            .found = faces_.size(),
            .point_median = Quantile(points_, 0.5),
            .median = Quantile(faces_, 0.5),
            .ninetieth = Quantile(faces_, 0.9)};
  }

 private:
  static double Quantile(std::vector<double>& values, double share) {
    if (values.empty()) return 0.0;
    std::sort(values.begin(), values.end());
    return values[static_cast<size_t>(share * static_cast<double>(values.size()))];
  }

  std::vector<double> points_;
  std::vector<double> faces_;
};

StatusOr<std::optional<FoundLandmarks>> FindIn(LandmarkNet& net, const LandmarkWeights& weights,
                                               const std::string& jpeg, const cv::Rect2d& box) {
  FACEGATE_ASSIGN_OR_RETURN(const cv::Mat patch, DecodePatch(jpeg));
  return FindLandmarks(net, patch, FrameOfBox(weights, box), kLeastConfidence);
}

}  // namespace

StatusOr<HeldOutReport> CheckHeldOut(const LandmarkWeights& weights, const LandmarkSamples& samples,
                                     const SampleSplit& split) {
  FACEGATE_ASSIGN_OR_RETURN(const std::unique_ptr<LandmarkNet> net, LandmarkNet::Create(weights));
  ErrorList errors;
  for (const size_t i : split.held_out_faces) {
    const LandmarkSample& face = samples.faces[i];
    if (!face.box) continue;
    FACEGATE_ASSIGN_OR_RETURN(const auto found, FindIn(*net, weights, face.jpeg, *face.box));
    if (found) errors.Add(found->points, face.points);
  }
  HeldOutReport report;
  report.errors = errors.Summary(split.held_out_faces.size());
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
  ErrorList errors;
  for (const auto& [name, truth] : landmarks) {
    const std::string path = (std::filesystem::path(photo_folder) / name).string();
    FACEGATE_ASSIGN_OR_RETURN(const std::string bytes, ReadFile(path, kLimits.max_bytes));
    const StatusOr<Image> photo = DecodeImage(bytes, kLimits);
    if (!photo.ok()) return Annotate(photo.status(), path);
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<DetectedFace> faces, detector.Detect(*photo));
    const auto chosen =
        SelectFaces(faces, {.selection = FaceSelection::kCentral, .box = {}}, photo->bgr.size());
    if (chosen.ok() && !chosen->front().landmarks.empty()) {
      errors.Add(chosen->front().landmarks, truth);
    }
    on_photo();
  }
  return errors.Summary(landmarks.size());
}

}  // namespace facegate
