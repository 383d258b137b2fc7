#pragma once

#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "face/base/status.h"
#include "face/detect/detector.h"

// The one place that picks a detector: the server, the trainer and the benchmarks ask here.
namespace facegate {

struct DetectorChoice {
  // "yunet"; "haar", a cascade and the landmark network; "haar-eyes", cascades alone. Nothing:
  // yunet where its file is given, else haar.
  std::optional<std::string> detector{};
  std::optional<std::string> yunet{};  // the ONNX file
  // The file of a landmark network, for haar; without it the bundled one.
  std::optional<std::string> landmark_net{};
  std::optional<std::string> cascades{};  // their folder; Debian's opencv-data where it is absent
  std::optional<int> min_face_pixels{};   // see YuNetOptions and LandmarkCascadeOptions
};

// The names of the parts of a choice where it was made; refusals name them.
struct DetectorFields {
  std::string_view detector = "--detector";
  std::string_view yunet = "--yunet";
  std::string_view landmark_net = "--landmark-net";
};

// The detector, upright in all quarter turns (upright_detector.h). kInvalidField for parts that
// contradict each other; what the detectors' factories return for their files.
StatusOr<std::unique_ptr<Detector>> ChooseDetector(const DetectorChoice& choice,
                                                   const DetectorFields& fields = {});

}  // namespace facegate
