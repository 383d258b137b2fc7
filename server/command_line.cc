#include "server/command_line.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <string_view>
#include <utility>

#include "face/base/file.h"
#include "face/base/key_table.h"
#include "server/config_keys.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxFileBytes = 1 << 20;
constexpr std::string_view kOrigin = "command line";
// Stands for the value that a flag lacks; CLI11 takes nothing that begins so for a value.
constexpr char kNoValue[] = "--";

Status ApplyFile(const std::string& path, Config& config) {
  const StatusOr<std::string> yaml = ReadFile(path, kMaxFileBytes);
  if (!yaml.ok()) return InvalidArgument(fmt::format("--config: {}", MessageOf(yaml.status())));
  return ApplyYaml(*yaml, path, config);
}

// The key of "--max-batch=4" is "max_batch": files have underscores in their keys and other
// programs hyphens in their flags, and both are taken.
std::string KeyOfFlag(std::string_view flag) {
  std::string key(flag.substr(2, flag.find('=') - 2));
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

// Refuses what no flag has taken.
Status RefuseStray(const std::string& argument) {
  Config config;
  const bool is_flag = argument.starts_with("--") && argument.size() > 2;
  const std::string key = is_flag ? KeyOfFlag(argument) : "";
  if (is_flag && ConfigKeys(config).Find(key) == nullptr) {
    return SetConfigKey(key, "", kOrigin, config);
  }
  return InvalidArgument(
      fmt::format("{}: \"{}\" is not a flag; flags begin with --", kOrigin, argument));
}

// Gives the arguments in the order that CLI11 takes them in, the last one first. "--port_file=" is
// parted here, because CLI11 would not see that it has a value, which is empty.
std::vector<std::string> Parted(const std::vector<std::string>& arguments) {
  std::vector<std::string> parts;
  for (const std::string& argument : arguments) {
    const bool is_emptied = argument.starts_with("--") && argument.find('=') + 1 == argument.size();
    parts.push_back(argument.substr(0, argument.size() - (is_emptied ? 1 : 0)));
    if (is_emptied) parts.emplace_back();
  }
  std::reverse(parts.begin(), parts.end());
  return parts;
}

// Returns the one value of a flag that was given.
StatusOr<std::string> ValueOf(const CLI::Option& flag) {
  const std::vector<std::string>& values = flag.results();
  if (values.size() > 1) {
    return InvalidArgument(fmt::format("{}: {} is given twice", kOrigin, flag.get_name()));
  }
  if (values.front() == kNoValue) {
    return InvalidArgument(fmt::format("{}: {} needs a value", kOrigin, flag.get_name()));
  }
  return values.front();
}

// These are the flags of the program: what to do, the file, and one for each key.
class Flags {
 public:
  Flags();
  Status Parse(const std::vector<std::string>& arguments);

  CommandLine::Action action() const;
  // Sets what the file says, then what the other flags say.
  Status Apply(Config& config) const;

 private:
  CLI::Option* AddValue(const std::string& names, const char* lone);
  CLI::Option* AddKey(const Key& key);

  CLI::App app_;
  std::vector<std::pair<CommandLine::Action, const CLI::Option*>> actions_;
  const CLI::Option* file_ = nullptr;
  std::vector<std::pair<std::string, const CLI::Option*>> keys_;
};

Flags::Flags() {
  using Action = CommandLine::Action;
  app_.set_help_flag();  // UsageText() is the help
  app_.allow_extras();
  actions_ = {{Action::kHelp, app_.add_flag("-h,--help")},
              {Action::kHelpConfig, app_.add_flag("--help-config")},
              {Action::kPrintConfig, app_.add_flag("--print-config")},
              {Action::kVersion, app_.add_flag("-V,--version")}};
  file_ = AddValue("--config", kNoValue);
  Config config;
  for (const Key& key : ConfigKeys(config)) keys_.emplace_back(key.name(), AddKey(key));
}

// Adds a flag with a value, which is `lone` where none stands behind it.
CLI::Option* Flags::AddValue(const std::string& names, const char* lone) {
  return app_.add_option(names)->expected(0, 1)->default_str(lone)->multi_option_policy(
      CLI::MultiOptionPolicy::TakeAll);
}

// Adds both spellings; a key that is true or false may stand alone for true.
CLI::Option* Flags::AddKey(const Key& key) {
  const std::string name(key.name());
  std::string hyphened = name;
  std::replace(hyphened.begin(), hyphened.end(), '_', '-');
  const std::string names = hyphened == name ? "--" + name : "--" + name + ",--" + hyphened;
  return AddValue(names, key.kind() == KeyKind::kSwitch ? "true" : kNoValue);
}

Status Flags::Parse(const std::vector<std::string>& arguments) {
  try {
    app_.parse(Parted(arguments));
  } catch (const CLI::ParseError& error) {
    return InvalidArgument(fmt::format("{}: {}", kOrigin, error.what()));
  }
  const std::vector<std::string> strays = app_.remaining();
  return strays.empty() ? OkStatus() : RefuseStray(strays.front());
}

CommandLine::Action Flags::action() const {
  for (const auto& [action, flag] : actions_) {
    if (flag->count() > 0) return action;
  }
  return CommandLine::Action::kServe;
}

Status Flags::Apply(Config& config) const {
  if (file_->count() > 0) {
    FACEGATE_ASSIGN_OR_RETURN(const std::string path, ValueOf(*file_));
    FACEGATE_RETURN_IF_ERROR(ApplyFile(path, config));
  }
  for (const auto& [name, flag] : keys_) {
    if (flag->count() == 0) continue;
    FACEGATE_ASSIGN_OR_RETURN(const std::string value, ValueOf(*flag));
    FACEGATE_RETURN_IF_ERROR(SetConfigKey(name, value, kOrigin, config));
  }
  return OkStatus();
}

}  // namespace

StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments) {
  Flags flags;
  FACEGATE_RETURN_IF_ERROR(flags.Parse(arguments));
  CommandLine line;
  line.action = flags.action();
  FACEGATE_RETURN_IF_ERROR(flags.Apply(line.config));
  if (line.action == CommandLine::Action::kServe) {
    FACEGATE_RETURN_IF_ERROR(CheckComplete(line.config));
  }
  return line;
}

std::string UsageText() {
  return "Usage: facegate-server [--config FILE] [--KEY VALUE]...\n"
         "\n"
         "Serves face verification and identification over gRPC until SIGTERM, SIGINT or SIGHUP,\n"
         "which let the calls in progress finish first.\n"
         "\n"
         "  --config FILE    a YAML file of keys (deploy/server.yaml)\n"
         "  --KEY VALUE      overrides a key of the configuration file (--data-dir and --data_dir "
         "are the same)\n"
         "  --help-config    print every key with its meaning, range and default\n"
         "  --print-config   print the values that would be used\n"
         "  --version        print the version\n"
         "  --help           print this help\n"
         "\n"
         "Required keys: model, data_dir. Exit codes: 0 stopped on request, 1 failed, 2 wrong "
         "usage\n"
         "or configuration.\n"
         "\n"
         "Examples:\n"
         "  facegate-server --model default.safetensors --data-dir gallery\n"
         "  facegate-server --config /etc/facegate/server.yaml --log-level debug\n";
}

}  // namespace facegate
