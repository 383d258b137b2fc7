#pragma once

#include <CLI/CLI.hpp>
#include <memory>
#include <ostream>
#include <string>
#include <vector>

#include "clients/cli/terminal.h"
#include "clients/cpp/facegate_client.h"

namespace facegate::cli {

// The exit codes of the program. Scripts rely on the numbers: do not change them. Where several
// photos end differently the highest number wins.
enum class ExitCode {
  kOk = 0,             // done; of identify, verify and compare: a match
  kNoMatch = 1,        // answered, but no match, or INCONCLUSIVE; of detect: no face
  kUsage = 2,          // the command line, or a local file, is wrong
  kRefused = 3,        // the server refused; the reason is printed
  kUnreachable = 4,    // no connection, or no answer in time
  kPartial = 5,        // enroll --dir: done, but some photos failed or were left out
  kInterrupted = 130,  // enroll --dir: ended by Ctrl-C
};

ExitCode Worse(ExitCode a, ExitCode b);

// Every command needs these.
struct Session {
  FacegateClient& client;
  std::ostream& out;  // results
  std::ostream& err;  // errors and progress
  bool json = false;  // results as JSON
  Terminal terminal{};
};

// One subcommand: declares its options when it is made and runs when it was chosen.
class Command {
 public:
  // `app` outlives the command.
  explicit Command(CLI::App& app) : app_(app) {}
  virtual ~Command() = default;
  Command(const Command&) = delete;
  Command& operator=(const Command&) = delete;

  bool chosen() const { return app_.parsed(); }
  virtual ExitCode Run(Session& session) = 0;

 protected:
  CLI::App& app() { return app_; }

 private:
  CLI::App& app_;
};

using Commands = std::vector<std::unique_ptr<Command>>;

// Each adds a family of subcommands to `app`.
void AddEnroll(CLI::App& app, Commands& commands);
void AddIdentify(CLI::App& app, Commands& commands);
void AddVerify(CLI::App& app, Commands& commands);
void AddCompare(CLI::App& app, Commands& commands);
void AddEmbed(CLI::App& app, Commands& commands);
void AddDetect(CLI::App& app, Commands& commands);
void AddCollection(CLI::App& app, Commands& commands);
void AddCalibration(CLI::App& app, Commands& commands);
void AddIdentity(CLI::App& app, Commands& commands);
void AddTemplate(CLI::App& app, Commands& commands);
void AddInfo(CLI::App& app, Commands& commands);

// Adds -c/--collection to `app`.
void AddCollectionOption(CLI::App& app, std::string& collection);

}  // namespace facegate::cli
