#pragma once

#include "trainer/command/command.h"

namespace facegate {

// `app` outlives the command.
TrainCommand AddRingCommand(CLI::App& app);

}  // namespace facegate
