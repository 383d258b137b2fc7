#pragma once

#include <memory>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "face/detect/detector.h"

namespace facegate {

// A detector as the options --detector, --yunet and --landmark-net of a command choose it.
struct DetectorChoice {
  // "yunet"; "haar", a cascade and the landmark network; "haar-eyes", cascades alone. Nothing:
  // yunet where its file is given, else haar.
  std::optional<std::string> detector{};
  std::optional<std::string> yunet{};  // the ONNX file
  // The file of a landmark network, for haar; without it the bundled one.
  std::optional<std::string> landmark_net{};
};

// kInvalidField for options that contradict each other; what the detectors' factories return for
// their files.
StatusOr<std::unique_ptr<Detector>> CreateChosenDetector(const DetectorChoice& choice);

}  // namespace facegate
