#pragma once

#include "trainer/command/command.h"

namespace facegate {

// `app` outlives the command.
TrainCommand AddReduceCommand(CLI::App& app);

}  // namespace facegate
