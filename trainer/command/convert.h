#pragma once

#include "trainer/command/command.h"

namespace facegate {

// `app` outlives the command.
TrainCommand AddConvertCommand(CLI::App& app);

}  // namespace facegate
