#include "trainer/eval/detector_choice.h"

#include <fmt/format.h>

#include <utility>

#include "face/detect/cascade.h"
#include "face/detect/landmark_cascade.h"
#include "face/detect/upright_detector.h"
#include "face/detect/yunet.h"
#include "face/model/bundled_landmarks.h"
#include "face/model/landmark_file.h"

namespace facegate {
namespace {

StatusOr<std::unique_ptr<Detector>> CreateWithNet(const std::optional<std::string>& file) {
  FACEGATE_ASSIGN_OR_RETURN(LandmarkWeights weights,
                            file ? ReadLandmarkWeights(*file) : BundledLandmarkWeights());
  auto detector = CreateLandmarkCascadeDetector({}, std::move(weights));
  if (!detector.ok() && file) return Annotate(detector.status(), *file);
  return detector;
}

StatusOr<std::unique_ptr<Detector>> CreatePlainDetector(const DetectorChoice& choice) {
  const std::string name = choice.detector.value_or(choice.yunet ? "yunet" : "haar");
  if (name == "haar") return CreateWithNet(choice.landmark_net);
  if (choice.landmark_net) {
    return RefuseField("--landmark-net", fmt::format("is for the detector haar, not {}", name));
  }
  if (name == "haar-eyes") return CreateCascadeDetector({});
  if (name != "yunet") {
    return RefuseField("--detector", fmt::format("{} is not one of yunet, haar, haar-eyes", name));
  }
  if (!choice.yunet) {
    return RefuseField("--yunet",
                       "the detector yunet needs its ONNX file, such as "
                       "yunet_n_dynamic.onnx; without it there is --detector haar");
  }
  return CreateYuNetDetector({.model_path = *choice.yunet});
}

}  // namespace

StatusOr<std::unique_ptr<Detector>> CreateChosenDetector(const DetectorChoice& choice) {
  FACEGATE_ASSIGN_OR_RETURN(std::unique_ptr<Detector> detector, CreatePlainDetector(choice));
  FACEGATE_ASSIGN_OR_RETURN(LandmarkWeights weights, BundledLandmarkWeights());
  return CreateUprightDetector(std::move(detector), std::move(weights));
}

}  // namespace facegate
