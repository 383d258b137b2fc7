#include "clients/cli/facegate_cli.h"

#include <algorithm>
#include <chrono>
#include <memory>
#include <utility>

#include "clients/cli/command.h"
#include "clients/cli/help_format.h"
#include "clients/cli/number_range.h"
#include "clients/cli/report.h"
#include "clients/cli/unicode_text.h"
#include "clients/cli/usage_error.h"
#include "face/base/version.h"

namespace facegate::cli {
namespace {

constexpr char kDescription[] =
    "Enrols, verifies and identifies faces with a facegate server.\n"
    "Photos are JPEG, PNG, WebP, BMP or PGM, and HEIC or AVIF if the server reads them; they are "
    "sent to the server named by --server.";

constexpr char kProgramFooter[] =
    "A change is sent with a request_id, and sent again when the connection breaks: it is made\n"
    "once. --request-id repeats a change of which nobody knows whether it was made.\n"
    "\n"
    "Exit codes:\n"
    "  0  done; identify, verify, compare: every photo matched\n"
    "  1  no match; detect: no face\n"
    "  2  wrong command line, or a local file that cannot be read or written\n"
    "  3  refused by the server; the reason is printed\n"
    "  4  no connection to the server, or no answer in time\n"
    "  5  enroll --dir: done, but some photos failed or were left out\n"
    "  130  enroll --dir: ended by Ctrl-C; give the command again to complete it\n"
    "\n"
    "Examples:\n"
    "  facegate info --wait 60\n"
    "  facegate enroll --create-collection -c staff 1017 front.jpg side.jpg\n"
    "  facegate identify -c staff door.jpg\n"
    "  facegate identify -c staff --unique group.jpg\n"
    "  facegate verify -c staff 1017 door.jpg --min-cosine 0.4\n"
    "  facegate identity label -c staff 1017 room=4\n"
    "  facegate --json compare a.jpg b.jpg";

struct GlobalOptions {
  std::string server = "127.0.0.1:50051";
  double timeout_s = 30.0;
  bool json = false;
};

void AddGlobalOptions(CLI::App& app, GlobalOptions& options) {
  app.description(kDescription);
  app.footer(kProgramFooter);
  app.set_version_flag("--version", std::string("facegate ") + Version());
  app.set_help_all_flag("--help-all", "The help of every command");
  app.add_option("--server", options.server, "Address of the server")
      ->envname("FACEGATE_SERVER")
      ->type_name("HOST:PORT")
      ->capture_default_str();
  app.add_option("--timeout", options.timeout_s, "How long one call may take")
      ->check(NumberBetween(0.001, 86'400.0))
      ->type_name("SECONDS")
      ->capture_default_str();
  app.add_flag("--json", options.json,
               "Results as JSON: the messages of the contract (protos/facegate/v1) in proto3's "
               "JSON form");
  app.require_subcommand(1);
  // Global options are also taken after the command.
  app.fallthrough();
}

ExitCode RunChosen(const GlobalOptions& options, Commands& commands, std::ostream& out,
                   std::ostream& err, const Terminal& terminal) {
  const auto chosen = std::find_if(commands.begin(), commands.end(),
                                   [](const auto& command) { return command->chosen(); });
  if (chosen == commands.end()) return ExitCode::kUsage;
  auto client = FacegateClient::Connect(
      {.target = options.server,
       .timeout = std::chrono::milliseconds(static_cast<int64_t>(options.timeout_s * 1000))});
  if (!client.ok()) {
    err << "facegate: " << Printable(client.error().message) << "\n";
    return ExitCode::kUsage;
  }
  Session session{
      .client = **client, .out = out, .err = err, .json = options.json, .terminal = terminal};
  const ExitCode code = (*chosen)->Run(session);
  if (code == ExitCode::kUnreachable) err << "facegate: the server was " << options.server << "\n";
  return code;
}

// Help and the version are printed to `out`; asking for them is not a mistake.
ExitCode ExplainParse(const CLI::App& app, const CLI::ParseError& error, std::ostream& out,
                      std::ostream& err) {
  if (error.get_exit_code() == 0) {
    app.exit(error, out, err);
    return ExitCode::kOk;
  }
  err << "facegate: " << Printable(DescribeUsageError(app, error))
      << "\nRun with --help for more information.\n";
  return ExitCode::kUsage;
}

}  // namespace

int RunCli(const std::vector<std::string>& arguments, std::ostream& out, std::ostream& err,
           const Terminal& terminal) {
  CLI::App app("", "facegate");
  GlobalOptions options;
  AddGlobalOptions(app, options);
  app.formatter(std::make_shared<HelpFormat>(terminal.columns));
  Commands commands;
  AddEnroll(app, commands);
  AddIdentify(app, commands);
  AddVerify(app, commands);
  AddCompare(app, commands);
  AddEmbed(app, commands);
  AddDetect(app, commands);
  AddCollection(app, commands);
  AddCalibration(app, commands);
  AddIdentity(app, commands);
  AddTemplate(app, commands);
  AddInfo(app, commands);
  try {
    // CLI11 takes the arguments last first.
    app.parse(std::vector<std::string>(arguments.rbegin(), arguments.rend()));
  } catch (const CLI::ParseError& error) {
    return static_cast<int>(ExplainParse(app, error, out, err));
  }
  const ExitCode code = RunChosen(options, commands, out, err, terminal);
  out.flush();
  if (!out) {
    err << "facegate: the results could not be written\n";
    return static_cast<int>(ExitCode::kUsage);
  }
  return static_cast<int>(code);
}

}  // namespace facegate::cli
