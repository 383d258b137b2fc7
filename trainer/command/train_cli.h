#pragma once

#include <ostream>
#include <string>
#include <vector>

namespace facegate {

// The exit codes of facegate-train. Scripts rely on the numbers: do not change them.
enum class TrainExitCode {
  kOk = 0,
  // A file, model or photo that does not fit, or a set that inspect finds errors in; the reason is
  // printed.
  kFailed = 1,
  kUsage = 2,  // the command line is wrong
};

// Runs the program with `arguments`, without its name in front: results to `out`, errors to `err`.
TrainExitCode RunTrainCli(const std::vector<std::string>& arguments, std::ostream& out,
                          std::ostream& err);

}  // namespace facegate
