#pragma once

#include <array>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "trainer/command/command.h"

namespace facegate {

struct CompareOptions {
  std::string model{};
  std::array<std::string, 2> photos{};
  bool detect = false;  // also where a photo has exactly the crop's size
  // See DetectorChoice.
  std::optional<std::string> detector{};
  std::optional<std::string> yunet{};         // the ONNX file
  std::optional<std::string> landmark_net{};  // for haar, see DetectorChoice
  std::string select = "largest";             // "largest", "central" or "single"
  std::optional<std::string> drawing{};       // a PNG file with both faces and the result
};

struct CompareReport {
  float cosine = 0.0F;
  double distance = 0.0;  // L2 distance of the unit-length embeddings
  std::string model_digest{};
  std::optional<float> default_min_cosine{};
  bool calibrated = false;  // the card says how often thresholds err
  // Each face was found by this: "aligned crop", or the detector's name.
  std::array<std::string, 2> found_by{};
};

// Embeds a face of each photo and compares them, and draws them where that is asked for. The model
// runs only when both photos are fit.
StatusOr<CompareReport> ComparePhotos(const CompareOptions& options);

// `app` outlives the command.
TrainCommand AddCompareCommand(CLI::App& app);

}  // namespace facegate
