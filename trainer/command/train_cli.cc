#include "trainer/command/train_cli.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "face/base/did_you_mean.h"
#include "face/base/shown_text.h"
#include "face/base/version.h"
#include "trainer/command/align.h"
#include "trainer/command/bench.h"
#include "trainer/command/calibrate.h"
#include "trainer/command/command.h"
#include "trainer/command/compare.h"
#include "trainer/command/convert.h"
#include "trainer/command/drop.h"
#include "trainer/command/embed.h"
#include "trainer/command/eval.h"
#include "trainer/command/eval_templates.h"
#include "trainer/command/export.h"
#include "trainer/command/fit.h"
#include "trainer/command/fit_landmarks.h"
#include "trainer/command/fit_quality.h"
#include "trainer/command/import.h"
#include "trainer/command/inspect.h"
#include "trainer/command/pack.h"
#include "trainer/command/reduce.h"
#include "trainer/command/ring.h"
#include "trainer/command/summary.h"
#include "trainer/command/sweep.h"
#include "trainer/command/synthesize.h"

namespace facegate {
namespace {

constexpr char kDescription[] =
    "Makes model files for facegate-server and tries them out on this machine.";

constexpr char kProgramFooter[] =
    "Exit codes:\n"
    "  0  done\n"
    "  1  a file, model or photo does not fit, or inspect found errors; the reason is printed\n"
    "  2  wrong command line\n"
    "\n"
    "Examples:\n"
    "  facegate-train import --preset insightface backbone.pth model.safetensors\n"
    "  facegate-train compare model.safetensors a.jpg b.jpg\n"
    "  facegate-train eval model.safetensors --photos lfw/ --pairs pairs.txt\n"
    "  facegate-train align photos/ faces/\n"
    "  facegate-train inspect faces/\n"
    "\n"
    "facegate-train COMMAND --help tells more.";

// A line with what was probably meant by a command or an option that there is not; else nothing.
std::string Suggestion(const CLI::App& app, const std::vector<std::string>& arguments) {
  if (arguments.empty()) return "";
  const CLI::App* command = nullptr;
  std::vector<std::string> names;
  for (const CLI::App* one : app.get_subcommands([](const CLI::App*) { return true; })) {
    names.push_back(one->get_name());
    if (one->get_name() == arguments.front()) command = one;
  }
  if (command == nullptr) {
    const std::string name = DidYouMean(arguments.front(), names);
    return name.empty() ? "" : fmt::format("Did you mean facegate-train {}?\n", name);
  }
  names.clear();
  for (const CLI::Option* option : command->get_options()) {
    for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
  }
  for (const std::string& argument : arguments) {
    const std::string word = argument.substr(0, argument.find('='));
    if (word == "--") break;
    const bool known = std::find(names.begin(), names.end(), word) != names.end();
    if (!word.starts_with("--") || known) continue;
    // "--data_dir" is "--data-dir".
    std::string dashes = word;
    std::replace(dashes.begin(), dashes.end(), '_', '-');
    const std::string name = DidYouMean(dashes, names);
    if (!name.empty()) return fmt::format("Did you mean {} for {}?\n", name, word);
  }
  return "";
}

}  // namespace

TrainExitCode RunTrainCli(const std::vector<std::string>& arguments, std::ostream& out,
                          std::ostream& err) {
  CLI::App app(kDescription, "facegate-train");
  app.footer(kProgramFooter);
  app.set_version_flag("--version", std::string("facegate-train ") + Version());
  app.require_subcommand(1);
  const std::array commands = {
      AddImportCommand(app),     AddExportCommand(app),  AddCompareCommand(app),
      AddEmbedCommand(app),      AddFitCommand(app),     AddFitLandmarksCommand(app),
      AddFitQualityCommand(app), AddEvalCommand(app),    AddEvalTemplatesCommand(app),
      AddInspectCommand(app),    AddPackCommand(app),    AddSynthesizeCommand(app),
      AddRingCommand(app),       AddSummaryCommand(app), AddBenchCommand(app),
      AddCalibrateCommand(app),  AddReduceCommand(app),  AddAlignCommand(app),
      AddConvertCommand(app),    AddSweepCommand(app),   AddDropCommand(app)};
  try {
    // CLI11 takes the arguments from the back.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    if (app.exit(error, out, err) == 0) return TrainExitCode::kOk;
    err << Suggestion(app, arguments);
    return TrainExitCode::kUsage;
  }
  const auto* const chosen =
      std::find_if(commands.begin(), commands.end(),
                   [](const TrainCommand& command) { return command.app->parsed(); });
  const Status status = chosen->run(out);
  out.flush();
  if (status.ok()) return TrainExitCode::kOk;
  err << "facegate-train " << chosen->app->get_name() << ": ";
  if (const std::string field = FieldOf(status); !field.empty()) err << ShownText(field) << ": ";
  err << ShownText(MessageOf(status)) << "\n";
  return ReasonOf(status) == Reason::kInvalidField ? TrainExitCode::kUsage : TrainExitCode::kFailed;
}

}  // namespace facegate
