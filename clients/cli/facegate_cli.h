#pragma once

#include <ostream>
#include <string>
#include <vector>

#include "clients/cli/terminal.h"

namespace facegate::cli {

// The whole program: parses `arguments` (without the program's name), runs the command, writes
// results to `out`, errors and progress to `err`, and returns the exit code.
int RunCli(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err,
           const Terminal& terminal);

}  // namespace facegate::cli
