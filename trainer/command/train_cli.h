#pragma once

#include <functional>
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
// `before_work` is called when there is a command to carry out, not for a help or a version.
TrainExitCode RunTrainCli(const std::vector<std::string>& arguments, std::ostream& out,
                          std::ostream& err, const std::function<void()>& before_work = {});

}  // namespace facegate
