#include "trainer/eval/detector_choice.h"

#include <fmt/format.h>

#include <utility>

#include "face/detect/cascade.h"
#include "face/detect/landmark_cascade.h"
#include "face/detect/yunet.h"
#include "face/model/landmark_file.h"

namespace facegate {
namespace {

StatusOr<std::unique_ptr<Detector>> CreateWithNet(const std::string& file) {
  FACEGATE_ASSIGN_OR_RETURN(LandmarkWeights weights, ReadLandmarkWeights(file));
  auto detector = CreateLandmarkCascadeDetector({}, std::move(weights));
  if (!detector.ok()) return Annotate(detector.status(), file);
  return detector;
}

}  // namespace

StatusOr<std::unique_ptr<Detector>> CreateChosenDetector(const DetectorChoice& choice) {
  const std::string name = choice.detector.value_or(choice.yunet ? "yunet" : "haar");
  if (name == "haar") {
    return choice.landmark_net ? CreateWithNet(*choice.landmark_net) : CreateCascadeDetector({});
  }
  if (name != "yunet") {
    return RefuseField("--detector", fmt::format("{} is neither yunet nor haar", name));
  }
  if (!choice.yunet) {
    return RefuseField("--yunet",
                       "the detector yunet needs its ONNX file, such as "
                       "yunet_n_dynamic.onnx; without it there is --detector haar");
  }
  if (choice.landmark_net) {
    return RefuseField("--landmark-net",
                       "is for the detector haar; yunet finds landmarks by itself");
  }
  return CreateYuNetDetector({.model_path = *choice.yunet});
}

}  // namespace facegate
