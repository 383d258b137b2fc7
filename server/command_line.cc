#include "server/command_line.h"

#include <fmt/format.h>

#include <algorithm>
#include <set>
#include <string_view>
#include <utility>

#include "face/base/file.h"

namespace facegate {
namespace {

constexpr uint64_t kMaxFileBytes = 1 << 20;

Status ApplyFile(const std::string& path, Config& config) {
  const StatusOr<std::string> yaml = ReadFile(path, kMaxFileBytes);
  if (!yaml.ok()) return InvalidArgument(fmt::format("--config: {}", MessageOf(yaml.status())));
  return ApplyYaml(*yaml, path, config);
}

// A flag of the command line with its value.
struct Flag {
  std::string name;
  std::string value;
};

// "--data-dir" is "--data_dir": the keys of the file have underscores, the flags of the other
// programs have hyphens.
std::string KeyOfFlag(std::string_view flag) {
  std::string key(flag);
  std::replace(key.begin(), key.end(), '-', '_');
  return key;
}

// Splits "--name=value" and "--name value"; a key that is true or false may stand alone for true.
StatusOr<std::vector<Flag>> SplitFlags(const std::vector<std::string>& arguments) {
  std::vector<Flag> flags;
  for (size_t i = 0; i < arguments.size(); ++i) {
    const std::string& argument = arguments[i];
    if (argument.size() < 3 || !argument.starts_with("--")) {
      return InvalidArgument(
          fmt::format("command line: \"{}\" is not a flag; flags begin with --", argument));
    }
    const size_t equals = argument.find('=');
    if (equals != std::string::npos) {
      flags.push_back({KeyOfFlag(argument.substr(2, equals - 2)), argument.substr(equals + 1)});
      continue;
    }
    Flag flag{KeyOfFlag(argument.substr(2)), ""};
    const bool has_value = i + 1 < arguments.size() && !arguments[i + 1].starts_with("--");
    if (has_value) {
      flag.value = arguments[++i];
    } else if (IsSwitchKey(flag.name)) {
      flag.value = "true";
    } else {
      return InvalidArgument(fmt::format("command line: {} needs a value", argument));
    }
    flags.push_back(std::move(flag));
  }
  return flags;
}

// Takes the flags that are no keys and stand alone out of `arguments`.
CommandLine::Action TakeAction(std::vector<std::string>& arguments) {
  using Action = CommandLine::Action;
  constexpr std::pair<std::string_view, Action> kActions[] = {
      {"--help", Action::kHelp},
      {"-h", Action::kHelp},
      {"-V", Action::kVersion},
      {"--help-config", Action::kHelpConfig},
      {"--print-config", Action::kPrintConfig},
      {"--version", Action::kVersion},
  };
  Action action = Action::kServe;
  std::erase_if(arguments, [&](const std::string& argument) {
    for (const auto& [name, meaning] : kActions) {
      if (argument == name) {
        action = meaning;
        return true;
      }
    }
    return false;
  });
  return action;
}

}  // namespace

StatusOr<CommandLine> ParseCommandLine(const std::vector<std::string>& arguments) {
  CommandLine line;
  std::vector<std::string> rest = arguments;
  line.action = TakeAction(rest);
  FACEGATE_ASSIGN_OR_RETURN(const std::vector<Flag> flags, SplitFlags(rest));

  std::set<std::string> seen;
  for (const Flag& flag : flags) {
    if (!seen.insert(flag.name).second) {
      return InvalidArgument(fmt::format("command line: --{} is given twice", flag.name));
    }
    if (flag.name == "config") FACEGATE_RETURN_IF_ERROR(ApplyFile(flag.value, line.config));
  }
  for (const Flag& flag : flags) {
    if (flag.name == "config") continue;
    FACEGATE_RETURN_IF_ERROR(SetConfigKey(flag.name, flag.value, "command line", line.config));
  }
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
