#pragma once

#include <cstddef>
#include <optional>
#include <string>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/synthetic/synthesis_job.h"

namespace facegate {

struct SynthesizeOptions {
  synthetic::SynthesisOptions job{};  // threads 0: as many as the machine has cores
  // A picture of the first people, written as this PNG or JPEG.
  std::optional<std::string> sheet{};
};

// Writes the pictures, with a progress bar on stderr, and the sheet.
StatusOr<synthetic::SynthesisReport> Synthesize(const SynthesizeOptions& options);

// `app` outlives the command.
TrainCommand AddSynthesizeCommand(CLI::App& app);

}  // namespace facegate
