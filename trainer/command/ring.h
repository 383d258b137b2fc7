#pragma once

#include <functional>
#include <string>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/ring/ring_training.h"

namespace facegate {

struct RingOptions {
  std::string mnist{};  // the folder with MNIST's four files
  std::string out = "ring.png";
  int threads = 2;  // >= 1; from two on both networks train side by side
  RingTrainingOptions training{};
};

struct RingReport {
  size_t train_digits = 0;
  size_t test_digits = 0;
  RingResult softmax{};
  RingResult arcface{};
  double seconds = 0.0;
};

// Trains the same small network with softmax and with ArcFace, and draws what each makes of the
// test digits. The figures follow from options and digits alone.
StatusOr<RingReport> DrawRings(const RingOptions& options);

// `app` outlives the command.
TrainCommand AddRingCommand(CLI::App& app);

}  // namespace facegate
