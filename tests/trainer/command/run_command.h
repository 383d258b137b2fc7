#pragma once

#include <CLI/CLI.hpp>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "trainer/command/command.h"

namespace facegate {

using AddCommand = TrainCommand (*)(CLI::App&);

// Runs the one of the commands whose name comes first in `arguments`; what it prints goes to
// `text`. Throws what CLI11 throws for arguments that do not fit.
inline Status RunCommand(const std::vector<AddCommand>& commands,
                         const std::vector<std::string>& arguments, std::string& text) {
  CLI::App app("facegate-train");
  std::vector<TrainCommand> added;
  for (const AddCommand add : commands) added.push_back(add(app));
  app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  std::ostringstream out;
  Status status;
  for (const TrainCommand& command : added) {
    if (command.app->parsed()) status = command.run(out);
  }
  text = out.str();
  return status;
}

}  // namespace facegate
