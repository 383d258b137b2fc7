#pragma once

#include <cstdint>
#include <memory>
#include <string>

#include "face/base/device.h"
#include "face/base/status.h"
#include "trainer/learn/training_options.h"

namespace facegate {

struct StepTimingOptions {
  std::string architecture = "mobilefacenet-128";
  int64_t batch = 64;      // pictures, >= 1
  int64_t classes = 1000;  // of an ArcFace head, >= 2
  int threads = 2;         // >= 1
  bool fused = true;       // see trainer/fused
  Device device{};         // of whole steps; their parts are timed on the CPU
  Precision precision = Precision::kFp32;
  bool cuda_graph = true;  // see TrainingOptions
};

// Medians, in milliseconds.
struct StepTimes {
  double step = 0.0;  // all of Training::Learn()
  int64_t steps = 0;  // that were timed
  // The share of the time in which the next batch was not there: on a card, where batches are
  // shipped while others are learned.
  double waited = 0.0;
};

// The parts of a step: what Training::Learn() does between them is little.
struct StepPartTimes {
  double forward = 0.0;   // the backbone, from pictures to embeddings
  double loss = 0.0;      // the head and the loss
  double backward = 0.0;  // both
  double update = 0.0;    // the norm of all gradients, and SGD with momentum
  int64_t steps = 0;
};

// Training on random pictures with random labels, which costs as much as on photos. Not
// thread-safe; sets LibTorch's number of threads.
class StepTimer {
 public:
  // kInvalidArgument for options out of their range; the errors of OpenCard() where the device is a
  // card.
  static StatusOr<std::unique_ptr<StepTimer>> Create(const StepTimingOptions& options);
  virtual ~StepTimer() = default;

  // Steps until `seconds` have passed, three at least; one before them is not timed.
  virtual StatusOr<StepTimes> MeasureSteps(double seconds) = 0;
  virtual StatusOr<StepPartTimes> MeasureParts(double seconds) = 0;
  // Trained numbers, the head's among them.
  virtual int64_t parameters() const = 0;
};

}  // namespace facegate
