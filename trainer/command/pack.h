#pragma once

#include <ostream>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/photos/pack_job.h"

namespace facegate {

// Packs with progress on standard error, and prints what became of it. `options.out` is refused
// where it is a folder, or exists and `replace` is false.
Status PackPhotos(const PackOptions& options, bool replace, std::ostream& out);

// `app` outlives the command.
TrainCommand AddPackCommand(CLI::App& app);

}  // namespace facegate
