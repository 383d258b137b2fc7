#include "server/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <charconv>
#include <set>
#include <span>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "face/base/catch.h"
#include "face/base/did_you_mean.h"
#include "server/config_keys.h"
#include "server/rpc/listen_address.h"

namespace facegate {
namespace {

constexpr int64_t kMiB = 1 << 20;

const ConfigKey* FindKey(std::string_view name) {
  for (const ConfigKey& key : ConfigKeys()) {
    if (key.name == name) return &key;
  }
  return nullptr;
}

// "; did you mean \"max_batch\"?" where a key is near.
std::string Meant(std::string_view name) {
  std::vector<std::string> names;
  for (const ConfigKey& key : ConfigKeys()) names.emplace_back(key.name);
  const std::string meant = DidYouMean(name, names);
  return meant.empty() ? "" : fmt::format("; did you mean \"{}\"?", meant);
}

std::string AllowedValues(const ConfigKey& key) {
  if (std::holds_alternative<bool Config::*>(key.member)) return "true or false";
  if (std::holds_alternative<int64_t Config::*>(key.member)) {
    return fmt::format("{} to {}", key.range.min, key.range.max);
  }
  if (std::holds_alternative<double Config::*>(key.member)) {
    return fmt::format("a number from {} to {}", key.range.min, key.range.max);
  }
  return key.choices.empty() ? "a text" : fmt::format("one of {}", fmt::join(key.choices, ", "));
}

// The range is closed on both sides.
template <typename Number>
bool SetNumber(const ConfigKey::Range& range, std::string_view text, Number& out) {
  Number number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  if (error != std::errc() || end != text.data() + text.size()) return false;
  // Written so that NaN fails.
  const bool inside =
      number >= static_cast<Number>(range.min) && number <= static_cast<Number>(range.max);
  if (inside) out = number;
  return inside;
}

bool SetBool(std::string_view text, bool& out) {
  if (text != "true" && text != "false") return false;
  out = text == "true";
  return true;
}

bool SetText(std::span<const std::string_view> choices, std::string_view text, std::string& out) {
  bool allowed = choices.empty();
  for (const std::string_view choice : choices) allowed = allowed || choice == text;
  if (allowed) out = std::string(text);
  return allowed;
}

// Quoted where YAML would read a text as something else; quotes and backslashes escaped.
std::string YamlText(std::string_view text) {
  YAML::Emitter out;
  out << YAML::DoubleQuoted << std::string(text);
  return out.c_str();
}

std::string ValueAsYaml(const ConfigKey& key, const Config& config) {
  if (const auto* const number = std::get_if<int64_t Config::*>(&key.member)) {
    return std::to_string(config.**number);
  }
  if (const auto* const number = std::get_if<double Config::*>(&key.member)) {
    return fmt::format("{}", config.**number);
  }
  if (const auto* const flag = std::get_if<bool Config::*>(&key.member)) {
    return config.**flag ? "true" : "false";
  }
  const std::string& text = config.*std::get<std::string Config::*>(key.member);
  return key.choices.empty() ? YamlText(text) : text;
}

// "# " in front of lines of at most 98 characters.
std::string AsComment(std::string_view text) {
  constexpr size_t kWidth = 98;
  std::string out;
  while (!text.empty()) {
    size_t length = text.size();
    if (length > kWidth) length = text.rfind(' ', kWidth);
    out.append("# ").append(text.substr(0, length)).append("\n");
    text.remove_prefix(std::min(text.size(), length + 1));
  }
  return out;
}

// Applies the entries of a mapping, each key once.
Status ApplyMapping(const YAML::Node& root, const std::string& origin, Config& config) {
  std::set<std::string> seen;
  for (const auto& entry : root) {
    const std::string place = fmt::format("{}:{}", origin, entry.first.Mark().line + 1);
    if (!entry.first.IsScalar()) return InvalidArgument(place + ": a key must be a plain name");
    const std::string name = entry.first.Scalar();
    if (!seen.insert(name).second) {
      return InvalidArgument(fmt::format("{}: \"{}\" is given twice", place, name));
    }
    if (!entry.second.IsScalar()) {
      const ConfigKey* const key = FindKey(name);
      return InvalidArgument(fmt::format("{}: {} must be {}", place, name,
                                         key == nullptr ? "a known key" : AllowedValues(*key)));
    }
    FACEGATE_RETURN_IF_ERROR(SetConfigKey(name, entry.second.Scalar(), place, config));
  }
  return OkStatus();
}

}  // namespace

Status SetConfigKey(std::string_view name, std::string_view text, std::string_view origin,
                    Config& config) {
  const ConfigKey* const key = FindKey(name);
  if (key == nullptr) {
    return InvalidArgument(fmt::format("{}: unknown key \"{}\"{}; --help-config lists all keys",
                                       origin, name, Meant(name)));
  }
  bool fits = false;
  if (const auto* const number = std::get_if<int64_t Config::*>(&key->member)) {
    fits = SetNumber(key->range, text, config.**number);
  } else if (const auto* const real = std::get_if<double Config::*>(&key->member)) {
    fits = SetNumber(key->range, text, config.**real);
  } else if (const auto* const flag = std::get_if<bool Config::*>(&key->member)) {
    fits = SetBool(text, config.**flag);
  } else {
    fits = SetText(key->choices, text, config.*std::get<std::string Config::*>(key->member));
  }
  if (fits) return OkStatus();
  return InvalidArgument(
      fmt::format("{}: {} is \"{}\", must be {}", origin, name, text, AllowedValues(*key)));
}

bool IsSwitchKey(std::string_view name) {
  const ConfigKey* const key = FindKey(name);
  return key != nullptr && std::holds_alternative<bool Config::*>(key->member);
}

Status ApplyYaml(const std::string& yaml, const std::string& origin, Config& config) {
  YAML::Node root;
  try {
    root = YAML::Load(yaml);
  } catch (const YAML::Exception& e) {
    return InvalidArgument(fmt::format("{}:{}: {}", origin, e.mark.line + 1, e.msg));
  }
  if (root.IsNull()) return OkStatus();
  if (!root.IsMap()) {
    return InvalidArgument(fmt::format("{}:1: must be a mapping of keys to values", origin));
  }
  return CatchToStatus(origin, [&] { return ApplyMapping(root, origin, config); });
}

Status CheckComplete(const Config& config) {
  if (config.model.empty()) return InvalidArgument("model is missing: the path of a model file");
  if (config.data_dir.empty()) return InvalidArgument("data_dir is missing: a folder to keep data");
  if (config.detector == "yunet" && config.detector_model.empty()) {
    return InvalidArgument("detector is yunet, so detector_model must name its ONNX file");
  }
  const bool haar =
      config.detector == "haar" || (config.detector == "auto" && config.detector_model.empty());
  if (!config.detector_landmarks.empty() && !haar) {
    return InvalidArgument("detector_landmarks is for the detector haar, which is not chosen");
  }
  const StatusOr<ListenAddress> address = ParseListenAddress(config.listen);
  if (!address.ok()) return Annotate(address.status(), "listen");
  if (!IsLoopback(*address) && !config.insecure) {
    return InvalidArgument(fmt::format(
        "listen is {}, which other machines can reach, and the connection is not encrypted in this "
        "version; say insecure: true to allow it, or listen on 127.0.0.1",
        config.listen));
  }
  const int64_t least = 2 * config.max_image_bytes + 65536;
  if (EffectiveMaxMessageBytes(config) < least) {
    return InvalidArgument(
        fmt::format("max_message_bytes is {}, must be at least {}: two images of max_image_bytes "
                    "({}) and 65536",
                    config.max_message_bytes, least, config.max_image_bytes));
  }
  const int64_t four_messages = 4 * EffectiveMaxMessageBytes(config);
  if (EffectiveRequestMemory(config) < four_messages) {
    return InvalidArgument(
        fmt::format("request_memory is {}, must be at least {}: four messages of max_message_bytes",
                    config.request_memory, four_messages));
  }
  return OkStatus();
}

std::string ConfigHelp() {
  const Config defaults;
  std::string out = AsComment(
      "The configuration of facegate-server, with every key at its default: facegate-server "
      "--config server.yaml. On the command line the same keys are flags, --key value, and "
      "override this file. Written by facegate-server --help-config.");
  for (const ConfigKey& key : ConfigKeys()) {
    out.append("\n").append(AsComment(key.sentence));
    const bool has_range =
        !std::holds_alternative<std::string Config::*>(key.member) || !key.choices.empty();
    if (has_range) out.append(AsComment("Values: " + AllowedValues(key) + "."));
    const std::string value =
        key.example.empty() ? ValueAsYaml(key, defaults) : YamlText(key.example);
    out.append(fmt::format("{}: {}\n", key.name, value));
  }
  return out;
}

std::string ConfigToYaml(const Config& config) {
  std::string out;
  for (const ConfigKey& key : ConfigKeys()) {
    out.append(fmt::format("{}: {}\n", key.name, ValueAsYaml(key, config)));
  }
  return out;
}

LogLevel LogLevelOf(const Config& config) {
  if (config.log_level == "debug") return LogLevel::kDebug;
  if (config.log_level == "warning") return LogLevel::kWarning;
  if (config.log_level == "error") return LogLevel::kError;
  if (config.log_level == "off") return LogLevel::kOff;
  return LogLevel::kInfo;
}

int64_t EffectiveMaxMessageBytes(const Config& config) {
  if (config.max_message_bytes > 0) return config.max_message_bytes;
  return std::min(4 * config.max_image_bytes + kMiB, 2047 * kMiB);
}

int64_t EffectiveRequestMemory(const Config& config) {
  if (config.request_memory > 0) return config.request_memory;
  return std::max(8 * EffectiveMaxMessageBytes(config), 256 * kMiB);
}

int64_t EffectiveDecodeMemory(const Config& config, int cores) {
  if (config.decode_memory > 0) return config.decode_memory;
  return std::max(64 * kMiB * cores, 512 * kMiB);
}

}  // namespace facegate
