#pragma once

#include <ostream>

#include "face/base/status.h"
#include "trainer/command/command.h"
#include "trainer/run/network_run.h"
#include "trainer/run/session.h"

// The commands that train the small networks of the programs have this in common.
namespace facegate {

// Their command lines say this beside the options of the run.
struct FitNetworkOptions {
  int threads = 0;     // 0: as many as the machine has cores
  bool force = false;  // replace OUT
};

void AddFitNetworkOptions(CLI::App& command, NetworkRunOptions& options, FitNetworkOptions& more);
// kInvalidField for a number out of its range; kFailedPrecondition where OUT would be lost.
Status CheckFitNetworkOptions(const NetworkRunOptions& options, const FitNetworkOptions& more);

// Lines of the run go to `out`, its progress to standard error.
Session FitNetworkSession(const FitNetworkOptions& options, std::ostream& out);

// The last line of a run that was asked to stop.
inline constexpr char kFitNetworkStopped[] =
    "stopped with a checkpoint; the same command goes on, without --restart\n";

}  // namespace facegate
