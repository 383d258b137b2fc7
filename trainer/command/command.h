#pragma once

#include <CLI/CLI.hpp>
#include <functional>
#include <ostream>

#include "face/base/status.h"

namespace facegate {

// The most that --threads takes.
inline constexpr int kMaxThreads = 256;

// One subcommand of facegate-train: its options, and what to do when it was chosen. Results go to
// the stream; a status refused with Reason::kInvalidField means that the command line is at fault.
struct TrainCommand {
  CLI::App* app = nullptr;
  std::function<Status(std::ostream&)> run;
};

}  // namespace facegate
