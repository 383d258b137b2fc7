#include "trainer/train_cli.h"

#include <algorithm>
#include <array>

#include "trainer/command/bench.h"
#include "trainer/command/command.h"
#include "trainer/command/compare.h"
#include "trainer/command/embed.h"
#include "trainer/command/eval.h"
#include "trainer/command/fit.h"
#include "trainer/command/fit_landmarks.h"
#include "trainer/command/import.h"
#include "trainer/command/inspect.h"
#include "trainer/command/pack.h"
#include "trainer/command/ring.h"
#include "trainer/command/summary.h"
#include "trainer/command/synthesize.h"

#ifndef FACEGATE_VERSION
#define FACEGATE_VERSION "unknown"
#endif

namespace facegate {
namespace {

constexpr char kDescription[] =
    "Makes model files for facegate-server and tries them out on this machine.";

constexpr char kProgramFooter[] =
    "Exit codes:\n"
    "  0  done\n"
    "  1  a file, model or photo does not fit; the reason is printed\n"
    "  2  wrong command line\n"
    "\n"
    "Examples:\n"
    "  facegate-train import --preset insightface backbone.pth model.safetensors\n"
    "  facegate-train compare model.safetensors a.jpg b.jpg\n"
    "  facegate-train eval model.safetensors --photos lfw/ --pairs pairs.txt\n"
    "  facegate-train inspect faces/\n"
    "\n"
    "facegate-train COMMAND --help tells more.";

}  // namespace

TrainExitCode RunTrainCli(const std::vector<std::string>& arguments, std::ostream& out,
                          std::ostream& err) {
  CLI::App app(kDescription, "facegate-train");
  app.footer(kProgramFooter);
  app.set_version_flag("--version", "facegate-train " FACEGATE_VERSION);
  app.require_subcommand(1);
  const std::array commands = {
      AddImportCommand(app),  AddCompareCommand(app),      AddEmbedCommand(app),
      AddFitCommand(app),     AddFitLandmarksCommand(app), AddEvalCommand(app),
      AddInspectCommand(app), AddPackCommand(app),         AddSynthesizeCommand(app),
      AddRingCommand(app),    AddSummaryCommand(app),      AddBenchCommand(app)};
  try {
    // CLI11 takes the arguments from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return app.exit(error, out, err) == 0 ? TrainExitCode::kOk : TrainExitCode::kUsage;
  }
  const auto* const chosen =
      std::find_if(commands.begin(), commands.end(),
                   [](const TrainCommand& command) { return command.app->parsed(); });
  const Status status = chosen->run(out);
  out.flush();
  if (status.ok()) return TrainExitCode::kOk;
  err << "facegate-train " << chosen->app->get_name() << ": ";
  if (const std::string field = FieldOf(status); !field.empty()) err << field << ": ";
  err << MessageOf(status) << "\n";
  return ReasonOf(status) == Reason::kInvalidField ? TrainExitCode::kUsage : TrainExitCode::kFailed;
}

}  // namespace facegate
