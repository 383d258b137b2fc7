#pragma once

#include <cstdint>
#include <string>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/timing/step_timing.h"

namespace facegate {

struct BenchOptions {
  StepTimingOptions step{};
  int loader_threads = 1;
  std::string augmentation = "flip";  // or "adaface"
  double seconds = 10.0;              // of each measurement
};

struct BenchReport {
  StepTimes step{};
  StepPartTimes parts{};
  double loader_pictures = 0.0;  // a second
};

// Measures the loader, the step and its parts, one after the other; tells how far it is on the
// standard error.
StatusOr<BenchReport> MeasureTraining(const BenchOptions& options);

// `app` outlives the command.
TrainCommand AddBenchCommand(CLI::App& app);

}  // namespace facegate
