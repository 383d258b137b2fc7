#pragma once

#include <cstddef>
#include <string>

#include "face/base/status.h"
#include "trainer/ring/ring_training.h"
#include "trainer/run/session.h"

namespace facegate {

struct RingRunOptions {
  std::string mnist{};  // the folder with MNIST's four files
  std::string out = "ring.png";
  size_t digits = 0;  // of the training half, the first so many; 0: all
  // A folder for TensorBoard's events, made where it is absent: the graph of the network, and the
  // plane after each epoch. Empty: none.
  std::string events{};
  // Its threads are those of the session: from two on both networks train side by side.
  RingTrainingOptions training{};
};

struct RingRunReport {
  size_t train_digits = 0;
  size_t test_digits = 0;
  RingResult softmax{};
  RingResult arcface{};
  double seconds = 0.0;
};

// Trains the same network with softmax and with ArcFace, and draws what each makes of the
// test digits. The figures follow from options and digits alone. It keeps nothing to go on with, so
// that a signal ends it at once.
StatusOr<RingRunReport> DrawRings(const RingRunOptions& options, const Session& session);

}  // namespace facegate
