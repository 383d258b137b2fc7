#pragma once

#include <cstdint>
#include <optional>
#include <ostream>
#include <string>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/landmarks/held_out_check.h"

namespace facegate {

struct FitLandmarksOptions {
  std::string out{};                  // the weight file to write
  std::string photos{};               // the folder that names are relative to
  std::string landmarks{};            // see ReadLandmarks(); each photo is PERSON/FILE
  std::optional<std::string> work{};  // folder of samples and checkpoint; nothing: OUT.work
  std::string haar_dir = "/usr/share/opencv4/haarcascades";
  uint64_t seed = 1;
  int64_t epochs = 30;
  int64_t batch = 64;
  double learning_rate = 2e-3;
  double held_out = 0.2;      // share of the people
  int threads = 0;            // 0: as many as the machine has cores
  bool restart = false;       // forget the checkpoint
  bool force = false;         // replace OUT
  bool skip_missing = false;  // leave out photos that are not there
  std::string training_data{};
  std::string licence{};
  std::string teacher{};  // what found the given landmarks
  std::string intended_use =
      "five landmarks of upright faces that look more or less at the camera, to align them";
  std::string unintended_use =
      "telling people apart, faces from the side or upside down, emotions or character";
  std::string command{};  // for the card
};

struct FitLandmarksReport {
  size_t people = 0;
  size_t held_out_people = 0;
  size_t photos = 0;
  HeldOutReport boxes;      // the network in the cascade's boxes
  LandmarkErrors detector;  // cascade and network on whole photos of held-out people
};

// Trains the landmark network and writes its weights. Lines about each epoch go to `out`. A run
// that was stopped goes on where its work folder's checkpoint is; when it is done, its samples stay
// there.
StatusOr<FitLandmarksReport> FitLandmarks(const FitLandmarksOptions& options, std::ostream& out);

// `app` outlives the command.
TrainCommand AddFitLandmarksCommand(CLI::App& app);

}  // namespace facegate
