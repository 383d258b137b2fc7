#pragma once

#include <cstddef>
#include <ostream>
#include <string>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/command/fit_network.h"
#include "trainer/landmarks/held_out_check.h"

namespace facegate {

struct FitLandmarksOptions {
  FitNetworkOptions network{
      .training = {.epochs = 30},
      .intended_use =
          "five landmarks of upright faces that look more or less at the camera, to align them",
      .unintended_use =
          "telling people apart, faces from the side or upside down, emotions or character"};
  std::string photos{};     // the folder that names are relative to
  std::string landmarks{};  // see ReadLandmarks(); each photo is PERSON/FILE
  std::string haar_dir = "/usr/share/opencv4/haarcascades";
  bool skip_missing = false;  // leave out photos that are not there
  std::string teacher{};      // what found the given landmarks
};

struct FitLandmarksReport {
  size_t people = 0;
  size_t held_out_people = 0;
  size_t photos = 0;
  HeldOutReport boxes;      // the network in the cascade's boxes
  LandmarkErrors detector;  // cascade and network on whole photos of held-out people
};

// Trains the landmark network and writes its weights. Lines about each epoch go to `out`. A run
// that was stopped goes on after the last epoch that its work folder has a checkpoint of;
// kFailedPrecondition where options or samples are others now. Samples and checkpoint stay there
// when it is done.
StatusOr<FitLandmarksReport> FitLandmarks(const FitLandmarksOptions& options, std::ostream& out);

// `app` outlives the command.
TrainCommand AddFitLandmarksCommand(CLI::App& app);

}  // namespace facegate
