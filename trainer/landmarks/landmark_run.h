#pragma once

#include <cstddef>
#include <string>

#include "face/base/status.h"
#include "trainer/landmarks/held_out_check.h"
#include "trainer/run/network_run.h"
#include "trainer/run/session.h"

namespace facegate {

struct LandmarkRunOptions {
  NetworkRunOptions network{
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

struct LandmarkRunReport {
  bool finished = false;  // else it was asked to stop, and no weights were written
  size_t people = 0;
  size_t held_out_people = 0;
  size_t photos = 0;
  HeldOutReport boxes{};      // the network in the cascade's boxes
  LandmarkErrors detector{};  // cascade and network on whole photos of held-out people
};

// Trains the landmark network and writes its weights; a line about each epoch goes to the session.
// A run that was stopped goes on after the last epoch that its work folder has a checkpoint of;
// kFailedPrecondition where options or samples are others now. Samples and checkpoint stay there
// when it is done.
StatusOr<LandmarkRunReport> FitLandmarks(const LandmarkRunOptions& options, Session& session);

}  // namespace facegate
