#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "face/base/status.h"
#include "trainer/photos/idx_file.h"
#include "trainer/ring/ring_measure.h"

namespace facegate {

struct RingTrainingOptions {
  std::string network = "small";  // of RingNetworkNames()
  // ArcFace on the angles of the embedding, or else softmax over a linear layer without a bias.
  bool arcface = true;
  double margin = 0.5;          // radians, 0..1
  double scale = 32.0;          // above 0
  int64_t epochs = 5;           // >= 1
  int64_t batch = 64;           // >= 2
  double learning_rate = 0.05;  // above 0
  double weight_decay = 5e-4;
  uint64_t seed = 1;
  int threads = 1;  // of OpenMP, >= 1
};

// The digits of the other part as the trained network sees them.
struct RingResult {
  std::vector<RingPoint> embeddings;  // raw, in the order of the digits
  double accuracy = 0.0;              // share of digits whose own class is nearest, no margin
  RingMeasure measure;
};

// Returns how many steps a training has, for a display of its progress.
size_t RingTrainingSteps(const RingTrainingOptions& options, const DigitSet& train);

// What whoever trains a ring sees of it meanwhile, on the calling thread.
struct RingWatch {
  std::function<void()> advance{};  // after each step; may be empty
  // After each epoch, counted from 1, whose embeddings are finite; may be empty. Where a class has
  // no direction yet the measure is empty. An error ends the training.
  std::function<Status(int64_t epoch, const RingResult& result)> epoch{};
};

// Trains a network on `train` and applies it to `test`; digits are enlarged (bilinear) to the size
// that it takes. The result follows from options and
// digits alone, and is the same whatever is watched. Several calls may run side by side in threads
// of their own. kInvalidArgument for options out of their range, digits that are not 28 x 28 or
// fewer than a batch; kFailedPrecondition when training diverges.
StatusOr<RingResult> TrainRing(const RingTrainingOptions& options, const DigitSet& train,
                               const DigitSet& test, const RingWatch& watch);

}  // namespace facegate
