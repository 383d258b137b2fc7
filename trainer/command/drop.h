#pragma once

#include "trainer/command/command.h"

namespace facegate {

// `app` outlives the command.
TrainCommand AddDropCommand(CLI::App& app);

}  // namespace facegate
