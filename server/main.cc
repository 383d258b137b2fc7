#include <sys/resource.h>
#include <sys/stat.h>

#include <chrono>
#include <cstdio>
#include <memory>
#include <string>
#include <vector>

#include "face/base/clock.h"
#include "face/base/log.h"
#include "face/base/openmp.h"
#include "face/base/status.h"
#include "face/base/version.h"
#include "server/app.h"
#include "server/command_line.h"
#include "server/config.h"
#include "server/parts.h"
#include "server/stop_limit.h"
#include "server/stop_signals.h"

namespace facegate {
namespace {

constexpr int kExitFailed = 1;
constexpr int kExitUsage = 2;
// Beside drain_seconds, for what a stop does after it.
constexpr std::chrono::seconds kAfterDrain{4};
constexpr std::chrono::seconds kHealthInterval{1};

// The memory is full of templates. One byte is too little for a file, and tells Linux not to hand
// the memory to a program either, for which a limit of 0 does not count (fs/coredump.c).
void ForbidCoreDumps() {
  const rlimit none{.rlim_cur = 1, .rlim_max = 1};
  if (setrlimit(RLIMIT_CORE, &none) != 0) LogWarning("core dumps could not be turned off");
}

int Serve(const Config& config) {
  SetLogLevel(LogLevelOf(config));
  if (!config.core_dumps) ForbidCoreDumps();
  StopSignals signals;
  StatusOr<std::unique_ptr<App>> app = App::Create(config, RealParts(), Clock::System());
  if (!app.ok()) {
    LogError("{}", MessageOf(app.status()));
    return kExitFailed;
  }
  const Status loaded = (*app)->Load([&] { return signals.requested(); });
  if (loaded.code() == StatusCode::kCancelled) return 0;  // nothing was served yet
  if (!loaded.ok()) {
    LogError("{}", MessageOf(loaded));
    return kExitFailed;
  }
  Status failure;
  while (failure.ok() && !signals.WaitFor(kHealthInterval)) failure = (*app)->Failure();
  if (!failure.ok()) LogError("the server ends, to be started again: {}", MessageOf(failure));
  const std::chrono::seconds drain(config.drain_seconds);
  const StopLimit limit(drain + kAfterDrain, kExitFailed);
  (*app)->Stop(drain);
  app->reset();
  return failure.ok() ? 0 : kExitFailed;
}

int Print(const std::string& text) {
  return std::fputs(text.c_str(), stdout) < 0 ? kExitFailed : 0;
}

int Main(int argc, char** argv) {
  const StatusOr<CommandLine> line =
      ParseCommandLine(std::vector<std::string>(argv + 1, argv + argc));
  if (!line.ok()) {
    const std::string message(MessageOf(line.status()));
    std::fprintf(stderr, "facegate-server: %s\n", message.c_str());
    return kExitUsage;
  }
  switch (line->action) {
    case CommandLine::Action::kHelp:
      return Print(UsageText());
    case CommandLine::Action::kHelpConfig:
      return Print(ConfigHelp());
    case CommandLine::Action::kPrintConfig:
      return Print(ConfigToYaml(line->config));
    case CommandLine::Action::kVersion:
      return Print(std::string("facegate-server ") + Version() + "\n");
    case CommandLine::Action::kServe:
      break;
  }
  WaitBrieflyInOpenMp(argv);
  return Serve(line->config);
}

}  // namespace
}  // namespace facegate

int main(int argc, char** argv) {
  // Whatever this process writes (templates above all) is for its own user alone.
  ::umask(0077);
  return facegate::Main(argc, argv);
}
