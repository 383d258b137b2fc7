#include "trainer/synthetic/synthetic_face.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <opencv2/core/matx.hpp>
#include <utility>
#include <vector>

#include "face/base/random.h"
#include "face/image/align.h"
#include "face/image/image.h"
#include "trainer/synthetic/camera_effects.h"
#include "trainer/synthetic/face_identity.h"
#include "trainer/synthetic/face_scene.h"
#include "trainer/synthetic/face_view.h"
#include "trainer/synthetic/head_surface.h"

namespace facegate::synthetic {
namespace {

constexpr uint64_t kLandmarkErrors = 0x6c6d;  // names the stream
constexpr int kMinSide = 64;
constexpr int kMaxSide = 4096;

// The face's place in the picture: the whole head fits where it can.
Framing PlaceFace(const FaceView& view, cv::Size size) {
  const float shorter = static_cast<float>(std::min(size.width, size.height));
  const float scale = view.face_share * shorter / 15.0F;
  // Around the point between the eyes, cm: ears and hair, crown, chin.
  const auto place = [&](float length, float before, float after, float share) {
    const float low = before * scale;
    const float high = length - after * scale;
    return high > low ? low + (high - low) * 0.5F * (1.0F + share) : 0.5F * (low + high);
  };
  return {.size = size,
          .scale = scale,
          .centre = {place(static_cast<float>(size.width), 9.5F, 9.5F, view.place_x),
                     place(static_cast<float>(size.height), 12.0F, 14.0F, view.place_y)}};
}

struct Subject {
  FaceIdentity face;
  FaceView view;
  Surface head;

  std::array<cv::Point2f, 5> LandmarksIn(const Framing& framing) const {
    return FindLandmarks(face, view, head, framing);
  }
};

Subject SubjectOf(const FaceName& name, const PictureOptions& options) {
  FaceIdentity face = DrawIdentity(name.seed, name.identity);
  FaceView view =
      DrawView(face, name.seed, name.identity, name.view, static_cast<float>(options.difficulty));
  Surface head = MakeHead(face, view);
  return {.face = std::move(face), .view = view, .head = std::move(head)};
}

// Just large enough for the crop, at about its scale, with the features in the middle.
Framing CropFraming(const Subject& subject) {
  constexpr int kMargin = 16;  // around the crop, pixels
  Framing framing{.size = {112 + 2 * kMargin, 112 + 2 * kMargin}, .scale = 5.8F, .centre = {}};
  cv::Point2f away;
  const auto wanted = TemplatePoints(AlignmentTemplate::kArcFace112);
  const auto seen = subject.LandmarksIn(framing);
  for (size_t i = 0; i < seen.size(); ++i) {
    away += wanted[i] + cv::Point2f(kMargin, kMargin) - seen[i];
  }
  framing.centre = away * (1.0F / static_cast<float>(seen.size()));
  return framing;
}

StatusOr<cv::Mat> Photograph(Subject subject, const Framing& framing,
                             const std::array<cv::Point2f, 5>& landmarks) {
  const std::vector<Vector3> light =
      DrawScene(subject.face, subject.view, std::move(subject.head), framing);
  const cv::Point2f eyes = landmarks[1] - landmarks[0];
  return TakePhoto(light, framing.size, subject.view, std::hypot(eyes.x, eyes.y));
}

Status CheckOptions(const PictureOptions& options) {
  if (std::min(options.width, options.height) < kMinSide ||
      std::max(options.width, options.height) > kMaxSide) {
    return InvalidArgument(fmt::format("a synthetic picture of {}x{}; each side is {} to {} pixels",
                                       options.width, options.height, kMinSide, kMaxSide));
  }
  if (!(options.difficulty >= 0.0 && options.difficulty <= 1.0)) {
    return InvalidArgument(
        fmt::format("a synthetic difficulty of {}; it is 0 to 1", options.difficulty));
  }
  return OkStatus();
}

// Moves landmarks to where a detector might have seen them.
Landmarks Uncertain(const std::array<cv::Point2f, 5>& landmarks, const FaceName& name,
                    const PictureOptions& options) {
  RandomStream random(name.seed, kLandmarkErrors, name.identity, name.view);
  const double deviation = 0.6 * options.difficulty;  // pixels, with the eyes 36 pixels apart
  Landmarks result;
  result.reserve(landmarks.size());
  for (const cv::Point2f& point : landmarks) {
    const double x = point.x + deviation * random.Normal();
    const double y = point.y + deviation * random.Normal();
    result.emplace_back(static_cast<float>(x), static_cast<float>(y));
  }
  return result;
}

StatusOr<std::array<cv::Point2f, 5>> OnCrop(const std::array<cv::Point2f, 5>& landmarks,
                                            const Landmarks& uncertain) {
  FACEGATE_ASSIGN_OR_RETURN(
      const cv::Matx23d warp,
      EstimateSimilarity(uncertain, TemplatePoints(AlignmentTemplate::kArcFace112)));
  std::array<cv::Point2f, 5> result;
  for (size_t i = 0; i < result.size(); ++i) {
    const cv::Vec2d moved = warp * cv::Vec3d(landmarks[i].x, landmarks[i].y, 1.0);
    result[i] = {static_cast<float>(moved[0]), static_cast<float>(moved[1])};
  }
  return result;
}

}  // namespace

StatusOr<RenderedFace> RenderFace(const FaceName& name, const PictureOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  Subject subject = SubjectOf(name, options);
  const Framing framing = PlaceFace(subject.view, {options.width, options.height});
  RenderedFace result;
  result.landmarks = subject.LandmarksIn(framing);
  FACEGATE_ASSIGN_OR_RETURN(result.picture,
                            Photograph(std::move(subject), framing, result.landmarks));
  return result;
}

StatusOr<RenderedFace> RenderFaceCrop(const FaceName& name, const PictureOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  Subject subject = SubjectOf(name, options);
  const Framing framing = CropFraming(subject);
  const auto landmarks = subject.LandmarksIn(framing);
  const Landmarks uncertain = Uncertain(landmarks, name, options);
  RenderedFace result;
  FACEGATE_ASSIGN_OR_RETURN(result.landmarks, OnCrop(landmarks, uncertain));
  FACEGATE_ASSIGN_OR_RETURN(cv::Mat photo, Photograph(std::move(subject), framing, landmarks));
  FACEGATE_ASSIGN_OR_RETURN(AlignedFace aligned, AlignFace({.bgr = std::move(photo)}, uncertain,
                                                           AlignmentTemplate::kArcFace112));
  result.picture = std::move(aligned.bgr);
  return result;
}

StatusOr<std::array<cv::Point2f, 5>> FaceLandmarks(const FaceName& name,
                                                   const PictureOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  const Subject subject = SubjectOf(name, options);
  return subject.LandmarksIn(PlaceFace(subject.view, {options.width, options.height}));
}

StatusOr<std::array<cv::Point2f, 5>> FaceCropLandmarks(const FaceName& name,
                                                       const PictureOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckOptions(options));
  const Subject subject = SubjectOf(name, options);
  const auto landmarks = subject.LandmarksIn(CropFraming(subject));
  return OnCrop(landmarks, Uncertain(landmarks, name, options));
}

}  // namespace facegate::synthetic
