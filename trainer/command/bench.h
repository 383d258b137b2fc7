#pragma once

#include <cstdint>
#include <string>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/timing/inference_timing.h"
#include "trainer/timing/loader_timing.h"
#include "trainer/timing/step_timing.h"

namespace facegate {

struct BenchOptions {
  StepTimingOptions step{};
  int loader_threads = 1;
  std::string augmentation = "flip";  // or "adaface"
  double seconds = 10.0;              // of each measurement
  // One's own photos for the loader, see OpenDataset(); empty: drawn pictures.
  std::string photos{};
  std::string list_root{};
};

struct BenchReport {
  StepTimes step{};
  StepPartTimes parts{};
  LoaderTime loader{};
  size_t photos = 0;  // of one's own
  InferenceTimes inference{};
};

// Measures the loader, the step and its parts, and embedding, one after the other; tells how far it
// is on the standard error.
StatusOr<BenchReport> MeasureSpeed(const BenchOptions& options);

// `app` outlives the command.
TrainCommand AddBenchCommand(CLI::App& app);

}  // namespace facegate
