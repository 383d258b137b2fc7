#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include "face/base/log.h"
#include "face/base/status.h"
#include "face/detect/face_quality.h"

namespace facegate {

// Everything that an operator decides. The meaning and range of each key are in the table of
// config_keys.cc, from which deploy/server.yaml is written; a key is named like its member.
struct Config {
  std::string listen = "127.0.0.1:50051";
  std::string port_file;
  bool insecure = false;
  std::string data_dir;
  std::string model;
  std::string device = "auto";
  std::string precision = "auto";
  int64_t model_threads = 0;
  int64_t max_batch = 0;
  int64_t face_queue = 256;
  std::string detector = "auto";
  std::string detector_model;
  std::string detector_landmarks;
  std::string haar_dir = "/usr/share/opencv4/haarcascades";
  int64_t min_face_pixels = 80;
  double enrol_quality = kDefaultEnrolQuality;
  double probe_quality = kDefaultProbeQuality;
  int64_t worker_threads = 0;
  int64_t request_queue = 64;
  int64_t search_threads = 0;
  std::string index_device = "auto";
  int64_t index_device_memory_mb = 0;
  int64_t max_image_bytes = 8 << 20;
  int64_t max_image_pixels = 40'000'000;
  int64_t max_samples = 16;
  int64_t max_candidates = 100;
  int64_t max_message_bytes = 0;
  int64_t request_memory = 0;
  int64_t decode_memory = 0;
  int64_t calls_per_connection = 8;
  int64_t drain_seconds = 20;
  bool heif = false;
  bool reflection = true;
  std::string log_level = "info";
  bool core_dumps = false;
};

// Sets one key. `origin` says where it stands, for errors: "server.yaml:12" or "command line".
// kInvalidArgument, with what is allowed, for an unknown key or a value out of range.
Status SetConfigKey(std::string_view name, const std::string& text, std::string_view origin,
                    Config& config);

// Sets the keys of a YAML mapping; `origin` names it in errors ("server.yaml").
Status ApplyYaml(const std::string& yaml, const std::string& origin, Config& config);
// Checks what a server must have: a model, a data directory, a listen address that is safe, message
// limits that fit each other.
Status CheckComplete(const Config& config);

// Every key with its sentence, range and default, as a commented YAML file: deploy/server.yaml.
std::string ConfigHelp();
// The values as YAML.
std::string ConfigToYaml(Config config);

LogLevel LogLevelOf(const Config& config);
// Returns what max_message_bytes is when it is left at 0.
int64_t EffectiveMaxMessageBytes(const Config& config);
// Returns what request_memory is when it is left at 0.
int64_t EffectiveRequestMemory(const Config& config);
// Returns what decode_memory is when it is left at 0, on a machine with `cores`.
int64_t EffectiveDecodeMemory(const Config& config, int cores);

}  // namespace facegate
