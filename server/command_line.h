#pragma once

#include <string>
#include <vector>

#include "face/base/status.h"
#include "server/config.h"

namespace facegate {

// The command line asks for this.
struct CommandLine {
  enum class Action { kServe, kHelp, kHelpConfig, kPrintConfig, kVersion };
  Action action = Action::kServe;
  Config config;
};

// Defaults, then the file of --config, then the other flags, --KEY VALUE or --KEY=VALUE, by the
// names of the keys. `arguments` is without the program's name. kInvalidArgument, naming the file
// with its line or the flag, and the limit, for an unknown or repeated key or a value out of range;
// CheckComplete() too when the action is to serve.
StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments);

// The text is for --help.
std::string UsageText();

}  // namespace facegate
