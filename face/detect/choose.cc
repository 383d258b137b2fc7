#include "face/detect/choose.h"

#include <fmt/format.h>

#include <utility>

#include "face/detect/cascade.h"
#include "face/detect/landmark_cascade.h"
#include "face/detect/upright_detector.h"
#include "face/detect/yunet.h"
#include "face/weights/bundled_landmarks.h"
#include "face/weights/landmark_file.h"

namespace facegate {
namespace {

// `options` of a cascade, with what the choice says of them.
template <typename Options>
Options Chosen(Options options, const DetectorChoice& choice) {
  options.directory = choice.cascades.value_or(options.directory);
  options.min_face_pixels = choice.min_face_pixels.value_or(options.min_face_pixels);
  return options;
}

StatusOr<std::unique_ptr<Detector>> ChooseLandmarkCascade(const DetectorChoice& choice) {
  const std::optional<std::string>& file = choice.landmark_net;
  FACEGATE_ASSIGN_OR_RETURN(LandmarkWeights weights,
                            file ? ReadLandmarkWeights(*file) : BundledLandmarkWeights());
  auto detector =
      CreateLandmarkCascadeDetector(Chosen(LandmarkCascadeOptions{}, choice), std::move(weights));
  if (!detector.ok() && file) return Annotate(detector.status(), *file);
  return detector;
}

StatusOr<std::unique_ptr<Detector>> ChooseYuNet(const DetectorChoice& choice) {
  YuNetOptions options;
  options.model_path = *choice.yunet;
  options.min_face_pixels = choice.min_face_pixels.value_or(options.min_face_pixels);
  return CreateYuNetDetector(options);
}

StatusOr<std::unique_ptr<Detector>> ChoosePlain(const DetectorChoice& choice,
                                                const DetectorFields& fields) {
  const std::string name = choice.detector.value_or(choice.yunet ? "yunet" : "haar");
  if (name == "haar") return ChooseLandmarkCascade(choice);
  if (choice.landmark_net) {
    return RefuseField(fields.landmark_net, fmt::format("is for the detector haar, not {}", name));
  }
  if (name == "haar-eyes") return CreateCascadeDetector(Chosen(CascadeOptions{}, choice));
  if (name != "yunet") {
    return RefuseField(fields.detector,
                       fmt::format("{} is not one of yunet, haar, haar-eyes", name));
  }
  if (!choice.yunet) {
    return RefuseField(fields.yunet,
                       fmt::format("the detector yunet needs its ONNX file, such as "
                                   "yunet_n_dynamic.onnx; without it there is {} haar",
                                   fields.detector));
  }
  return ChooseYuNet(choice);
}

}  // namespace

StatusOr<std::unique_ptr<Detector>> ChooseDetector(const DetectorChoice& choice,
                                                   const DetectorFields& fields) {
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<Detector> detector, ChoosePlain(choice, fields));
  FACEGATE_ASSIGN_OR_RETURN(LandmarkWeights weights, BundledLandmarkWeights());
  return CreateUprightDetector(std::move(detector), std::move(weights));
}

}  // namespace facegate
