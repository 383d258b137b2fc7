#include "trainer/align/photo_cutter.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdlib>
#include <utility>

#include "face/base/catch.h"
#include "face/base/file.h"
#include "face/base/sha256.h"
#include "face/detect/selection.h"
#include "trainer/photos/centre_crop.h"
#include "trainer/photos/photo_source.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxLandmarkBytes = 1ULL << 30;
constexpr std::array kStatuses = {CutStatus::kAligned,     CutStatus::kFallback,
                                  CutStatus::kNoFace,      CutStatus::kNotAlignable,
                                  CutStatus::kUndecodable, CutStatus::kUnreadable};

PhotoCuts Without(CutStatus status, std::string_view reason) {
  PhotoCuts cuts;
  cuts.cuts.push_back({.status = status, .reason = std::string(reason)});
  return cuts;
}

StatusOr<std::vector<DetectedFace>> Choose(std::vector<DetectedFace> faces, FaceChoice choice,
                                           cv::Size picture) {
  switch (choice) {
    case FaceChoice::kCentral:
      return SelectFaces(faces, {.selection = FaceSelection::kCentral, .box = {}}, picture);
    case FaceChoice::kLargest:
      return SelectFaces(faces, {.selection = FaceSelection::kLargest, .box = {}}, picture);
    case FaceChoice::kMostProbable:
      faces.resize(1);
      return faces;
    case FaceChoice::kAll:
      return faces;
  }
  std::abort();
}

}  // namespace

std::string_view CutStatusName(CutStatus status) {
  switch (status) {
    case CutStatus::kAligned:
      return "aligned";
    case CutStatus::kFallback:
      return "fallback";
    case CutStatus::kNoFace:
      return "no-face";
    case CutStatus::kNotAlignable:
      return "not-alignable";
    case CutStatus::kUndecodable:
      return "undecodable";
    case CutStatus::kUnreadable:
      return "unreadable";
  }
  std::abort();
}

std::optional<CutStatus> CutStatusFromName(std::string_view name) {
  const auto* const found =
      std::find_if(kStatuses.begin(), kStatuses.end(),
                   [name](CutStatus status) { return CutStatusName(status) == name; });
  return found == kStatuses.end() ? std::nullopt : std::optional(*found);
}

std::string_view FaceChoiceName(FaceChoice choice) {
  switch (choice) {
    case FaceChoice::kCentral:
      return "central";
    case FaceChoice::kLargest:
      return "largest";
    case FaceChoice::kMostProbable:
      return "most-probable";
    case FaceChoice::kAll:
      return "all";
  }
  std::abort();
}

StatusOr<std::unique_ptr<PhotoCutter>> PhotoCutter::Create(const PhotoCutOptions& options) {
  FACEGATE_RETURN_IF_ERROR(CheckView(options.view));
  FaceCutOptions faces = options.faces;
  faces.measure_quality = true;
  FACEGATE_ASSIGN_OR_RETURN(auto cutter, FaceCutter::Create(faces, options.view.alignment));
  std::string description = cutter->description();
  if (faces.landmarks) {
    FACEGATE_ASSIGN_OR_RETURN(const std::string bytes,
                              ReadFile(*faces.landmarks, kMaxLandmarkBytes));
    description += ":" + Sha256Hex(bytes).substr(0, 12);
  }
  return std::unique_ptr<PhotoCutter>(
      new PhotoCutter(options, std::move(cutter), std::move(description)));
}

StatusOr<PhotoCuts> PhotoCutter::Cut(const std::string& name, std::string_view encoded) const {
  const StatusOr<cv::Mat> decoded = DecodeTrainingPhoto(encoded);
  if (!decoded.ok()) return Without(CutStatus::kUndecodable, MessageOf(decoded.status()));
  const Image photo{.bgr = *decoded};
  PhotoCuts cuts;
  std::string reason;
  StatusOr<std::vector<DetectedFace>> faces = cutter_->FindFaces(name, photo);
  if (faces.ok()) {
    cuts.found = faces->size();
    FACEGATE_ASSIGN_OR_RETURN(const std::vector<DetectedFace> chosen,
                              Choose(*std::move(faces), options_.choice, photo.bgr.size()));
    bool any = false;
    for (const DetectedFace& face : chosen) {
      FACEGATE_ASSIGN_OR_RETURN(FaceCut cut, CutFace(photo, face));
      any = any || HasCrop(cut.status);
      cuts.cuts.push_back(std::move(cut));
    }
    if (any || !options_.fallback) return cuts;
    reason = cuts.cuts.front().reason;
  } else if (ReasonOf(faces.status()) == Reason::kNoFace ||
             faces.status().code() == StatusCode::kNotFound) {
    reason = MessageOf(faces.status());
    if (!options_.fallback) return Without(CutStatus::kNoFace, reason);
  } else {
    return faces.status();
  }
  StatusOr<cv::Mat> middle = Middle(photo);
  if (middle.status().code() == StatusCode::kInvalidArgument) {
    // Too narrow a photo has no middle of these proportions.
    return cuts.cuts.empty() ? Without(CutStatus::kNoFace, std::move(reason)) : std::move(cuts);
  }
  FACEGATE_RETURN_IF_ERROR(middle.status());
  cuts.cuts.clear();
  cuts.cuts.push_back(
      {.status = CutStatus::kFallback, .crop = *std::move(middle), .reason = std::move(reason)});
  return cuts;
}

StatusOr<FaceCut> PhotoCutter::CutFace(const Image& photo, const DetectedFace& face) const {
  FaceCut cut{.face = face};
  const StatusOr<JudgedCrop> judged = cutter_->CutFace(photo, face);
  if (ReasonOf(judged.status()) == Reason::kNoFace) {
    cut.status = CutStatus::kNotAlignable;
    cut.reason = MessageOf(judged.status());
    return cut;
  }
  FACEGATE_RETURN_IF_ERROR(judged.status());
  cut.quality = judged->quality;
  FACEGATE_ASSIGN_OR_RETURN(cut.crop, CutView(photo, face.landmarks, options_.view));
  return cut;
}

// The largest middle part of the view's proportions.
StatusOr<cv::Mat> PhotoCutter::Middle(const Image& photo) const {
  const cv::Size size = options_.view.size;
  const int64_t widest = int64_t{photo.width()} * size.height / size.width;
  const auto height = static_cast<int>(std::clamp<int64_t>(widest, 1, photo.height()));
  return CatchToStatus("cutting out the middle of a photo",
                       [&] { return CentreCrop(photo.bgr, height, size); });
}

}  // namespace facegate
