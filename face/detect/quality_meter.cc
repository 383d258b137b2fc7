#include "face/detect/quality_meter.h"

#include <algorithm>
#include <cmath>
#include <numbers>
#include <numeric>
#include <opencv2/core.hpp>
#include <opencv2/imgproc.hpp>
#include <utility>
#include <vector>

#include "face/base/catch.h"
#include "face/detect/crop_measures.h"
#include "face/detect/face_geometry.h"
#include "face/detect/free_list.h"
#include "face/detect/landmark_net.h"
#include "face/detect/quality_net.h"
#include "face/detect/second_look.h"

namespace facegate {
namespace {

constexpr double kDegree = std::numbers::pi / 180;
// The distance of the eyes is not stretched by more: a yaw from landmarks is rough.
constexpr double kLeastCosine = 0.5;
// The source's pixels are looked at so far around the middle of the face: in distances of the eyes,
// but so many pixels at least and at most.
constexpr double kReach = 1.2;
constexpr double kLeastReach = kLeastForBlocks / 2.0 + 1;
constexpr double kLargestReach = 100;

class ComponentList {
 public:
  void Add(QualityComponent component, double value) {
    components_.push_back(
        {.component = component, .value = value, .quality = QualityOf(component, value)});
  }
  FaceQuality Whole() { return Combine(std::move(components_)); }

 private:
  std::vector<ComponentQuality> components_;
};

// One call works with these. Not thread-safe.
struct Networks {
  std::unique_ptr<LandmarkNet> landmarks;
  std::unique_ptr<QualityNet> quality;
};

// A crop of ArcFace's size of a crop of another template.
cv::Mat AsArcFace(const cv::Mat& crop, AlignmentTemplate alignment) {
  const cv::Point2f way =
      TemplatePoints(AlignmentTemplate::kArcFace112)[0] - TemplatePoints(alignment)[0];
  const cv::Size size = CropSize(AlignmentTemplate::kArcFace112);
  const int left = cvRound(way.x);
  const int top = cvRound(way.y);
  if (left == 0 && top == 0) return crop;
  cv::Mat padded;
  cv::copyMakeBorder(crop, padded, top, size.height - crop.rows - top, left,
                     size.width - crop.cols - left, cv::BORDER_REPLICATE);
  return padded;
}

// The part of the picture around the landmarks, grey; no larger than a crop needs.
cv::Mat GreyAround(const Image& image, const Landmarks& landmarks) {
  const cv::Point2f middle = std::accumulate(landmarks.begin(), landmarks.end(), cv::Point2f()) /
                             static_cast<float>(landmarks.size());
  const double reach =
      std::clamp(kReach * cv::norm(landmarks[1] - landmarks[0]), kLeastReach, kLargestReach);
  const cv::Size size(std::min(static_cast<int>(2 * reach), image.width()),
                      std::min(static_cast<int>(2 * reach), image.height()));
  // The part is moved at the border, so that it stays as large.
  const cv::Rect part(std::clamp(cvRound(middle.x - reach), 0, image.width() - size.width),
                      std::clamp(cvRound(middle.y - reach), 0, image.height() - size.height),
                      size.width, size.height);
  cv::Mat grey;
  cv::cvtColor(image.bgr(part), grey, cv::COLOR_BGR2GRAY);
  return grey;
}

class NetworkQualityMeter final : public QualityMeter {
 public:
  NetworkQualityMeter(LandmarkWeights landmarks, QualityWeights quality)
      : landmark_weights_(std::move(landmarks)), quality_weights_(std::move(quality)) {}

  StatusOr<FaceQuality> OfFace(const Image& image, const DetectedFace& face) const override {
    FACEGATE_ASSIGN_OR_RETURN(const AlignedView view, ViewOfFace(image, face.landmarks));
    FACEGATE_ASSIGN_OR_RETURN(const auto networks, free_.Borrow([this] { return MakeNetworks(); }));
    return CatchToStatus("measuring a face's quality", [&]() -> StatusOr<FaceQuality> {
      ComponentList list;
      FACEGATE_ASSIGN_OR_RETURN(
          const double detail,
          AddOfCrop(*networks, view.crop.bgr, view.landmarks, face.second_look, list));
      list.Add(QualityComponent::kSharpness, detail);
      AddOfSource(image, face, list);
      return list.Whole();
    });
  }

  StatusOr<FaceQuality> OfCrop(const AlignedFace& crop,
                               AlignmentTemplate alignment) const override {
    if (crop.bgr.size() != CropSize(alignment)) return Internal("a crop of another size");
    FACEGATE_ASSIGN_OR_RETURN(const auto networks, free_.Borrow([this] { return MakeNetworks(); }));
    return CatchToStatus("measuring a crop's quality", [&]() -> StatusOr<FaceQuality> {
      ComponentList list;
      const auto points = TemplatePoints(AlignmentTemplate::kArcFace112);
      FACEGATE_ASSIGN_OR_RETURN(const double detail,
                                AddOfCrop(*networks, AsArcFace(crop.bgr, alignment),
                                          {points.begin(), points.end()}, std::nullopt, list));
      cv::Mat grey;
      cv::cvtColor(crop.bgr, grey, cv::COLOR_BGR2GRAY);
      list.Add(QualityComponent::kInterEyeDistance, MeasureOwnPixels(grey) * detail);
      // A crop that was made before it was compressed has the grid of its own.
      list.Add(QualityComponent::kCompressionArtifacts, MeasureBlocks(grey));
      return list.Whole();
    });
  }

  StatusOr<std::unique_ptr<Networks>> MakeNetworks() const {
    auto made = std::make_unique<Networks>();
    FACEGATE_ASSIGN_OR_RETURN(made->landmarks, LandmarkNet::Create(landmark_weights_));
    FACEGATE_ASSIGN_OR_RETURN(made->quality, QualityNet::Create(quality_weights_));
    return made;
  }

 private:
  // Adds what a crop of ArcFace's size tells; its detail is for the caller.
  static StatusOr<double> AddOfCrop(Networks& networks, const cv::Mat& crop,
                                    const Landmarks& landmarks,
                                    const std::optional<SecondLook>& known, ComponentList& list) {
    cv::Mat grey;
    cv::cvtColor(crop, grey, cv::COLOR_BGR2GRAY);
    const cv::Mat frame = CutAlignedFrame(grey);
    SecondLook look;
    if (known) {
      look = *known;
    } else {
      FACEGATE_ASSIGN_OR_RETURN(look, LookAgain(*networks.landmarks, frame));
    }
    const HeadPose pose = PoseOfLandmarks(look.points);
    const FaceLight light = MeasureLight(frame);
    FACEGATE_ASSIGN_OR_RETURN(const QualityOpinion opinion, networks.quality->Run(frame));
    list.Add(QualityComponent::kUnderExposure, light.dark_share);
    list.Add(QualityComponent::kOverExposure, light.bright_share);
    list.Add(QualityComponent::kDynamicRange, light.entropy);
    list.Add(QualityComponent::kIlluminationUniformity, light.uniformity);
    list.Add(QualityComponent::kHeadYaw, pose.yaw);
    list.Add(QualityComponent::kHeadPitch, pose.pitch);
    list.Add(QualityComponent::kFacePresence, look.presence);
    list.Add(QualityComponent::kLandmarkFit, LandmarkMisfit(look, landmarks));
    list.Add(QualityComponent::kEyesVisible, opinion.eyes_visible);
    list.Add(QualityComponent::kMouthVisible, opinion.mouth_visible);
    list.Add(QualityComponent::kExpectedGenuineScore, opinion.expected_score);
    list.Add(QualityComponent::kNoise, MeasureNoise(grey));
    return MeasureDetail(grey);
  }

  // Adds what the source picture tells.
  static void AddOfSource(const Image& image, const DetectedFace& face, ComponentList& list) {
    const Landmarks& points = face.landmarks;
    double cosine = 1.0;
    if (points.size() == 5) {
      const HeadPose pose = PoseOfLandmarks(std::span<const cv::Point2f, 5>(points.data(), 5));
      cosine = std::max(kLeastCosine, std::cos(pose.yaw * kDegree));
    }
    const cv::Mat around = GreyAround(image, points);
    list.Add(QualityComponent::kInterEyeDistance,
             MeasureOwnPixels(around) * cv::norm(points[1] - points[0]) / cosine);
    list.Add(QualityComponent::kHeadRoll, RollOf(face));
    list.Add(QualityComponent::kFaceInPicture, ShareInPicture(points, image.bgr.size()));
    list.Add(QualityComponent::kDetectionScore, face.score);
    list.Add(QualityComponent::kCompressionArtifacts, MeasureBlocks(around));
  }

  const LandmarkWeights landmark_weights_;
  const QualityWeights quality_weights_;
  mutable FreeList<Networks> free_;
};

}  // namespace

StatusOr<std::unique_ptr<QualityMeter>> CreateQualityMeter(LandmarkWeights landmarks,
                                                           QualityWeights quality) {
  auto meter = std::make_unique<NetworkQualityMeter>(std::move(landmarks), std::move(quality));
  // Builds the networks once, so that what is wrong is found at the start.
  FACEGATE_RETURN_IF_ERROR(meter->MakeNetworks().status());
  return meter;
}

}  // namespace facegate
