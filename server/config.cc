#include "server/config.h"

#include <fmt/format.h>
#include <yaml-cpp/yaml.h>

#include <algorithm>
#include <set>
#include <string_view>

#include "face/base/catch.h"
#include "face/base/device.h"
#include "face/base/key_table.h"
#include "server/config_keys.h"
#include "server/rpc/listen_address.h"

namespace facegate {
namespace {

constexpr int64_t kMiB = 1 << 20;

std::string AllowedValues(const Key& key) {
  const KeyLimits& limits = key.limits();
  if (!limits.choices.empty()) return "one of " + limits.text;
  if (limits.text.empty()) return key.KindText();
  return key.kind() == KeyKind::kNumber ? "a number from " + limits.text : limits.text;
}

// Quoted where YAML would read a text as something else; quotes and backslashes escaped.
std::string YamlText(const std::string& text) {
  YAML::Emitter out;
  out << YAML::DoubleQuoted << text;
  return out.c_str();
}

std::string ValueAsYaml(const Key& key) {
  const std::string text = key.Texts().front();
  const bool is_free = key.kind() == KeyKind::kText && key.limits().choices.empty();
  return is_free ? YamlText(text) : text;
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
      const KeyTable keys = ConfigKeys(config);
      const Key* const key = keys.Find(name);
      return InvalidArgument(fmt::format("{}: {} must be {}", place, name,
                                         key == nullptr ? "a known key" : AllowedValues(*key)));
    }
    FACEGATE_RETURN_IF_ERROR(SetConfigKey(name, entry.second.Scalar(), place, config));
  }
  return OkStatus();
}

}  // namespace

Status SetConfigKey(std::string_view name, const std::string& text, std::string_view origin,
                    Config& config) {
  const KeyTable keys = ConfigKeys(config);
  const Key* const key = keys.Find(name);
  if (key == nullptr) {
    return InvalidArgument(fmt::format("{}: unknown key \"{}\"{}; --help-config lists all keys",
                                       origin, name, keys.MeantKey(name)));
  }
  if (!key->Set({text})) return OkStatus();
  return InvalidArgument(
      fmt::format("{}: {} is \"{}\", must be {}", origin, name, text, AllowedValues(*key)));
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
  FACEGATE_RETURN_IF_ERROR(Annotate(CheckDeviceName(config.device), "device"));
  FACEGATE_RETURN_IF_ERROR(Annotate(CheckDeviceName(config.index_device), "index_device"));
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
  Config defaults;
  std::string out = AsComment(
      "The configuration of facegate-server, with every key at its default: facegate-server "
      "--config server.yaml. On the command line the same keys are flags, --key value, and "
      "override this file. Written by facegate-server --help-config.");
  for (const Key& key : ConfigKeys(defaults)) {
    out.append("\n").append(AsComment(key.sentence()));
    const KeyLimits& limits = key.limits();
    if (key.kind() != KeyKind::kText || !limits.choices.empty()) {
      out.append(AsComment("Values: " + AllowedValues(key) + "."));
    }
    const std::string value = limits.example.empty() ? ValueAsYaml(key) : YamlText(limits.example);
    out.append(fmt::format("{}: {}\n", key.name(), value));
  }
  return out;
}

std::string ConfigToYaml(Config config) {
  std::string out;
  for (const Key& key : ConfigKeys(config)) {
    out.append(fmt::format("{}: {}\n", key.name(), ValueAsYaml(key)));
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
