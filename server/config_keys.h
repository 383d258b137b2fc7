#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <variant>

#include "server/config.h"

// The keys of the server's configuration as a table: config.cc reads, checks and prints by it.
namespace facegate {

// One key. Texts may be bound to choices; `example` stands in deploy/server.yaml for a key that has
// no default.
struct ConfigKey {
  // A number may be of this range, both ends included.
  struct Range {
    int64_t min = 0;
    int64_t max = 0;
  };

  std::string_view name;
  std::variant<std::string Config::*, int64_t Config::*, double Config::*, bool Config::*> member;
  Range range;
  std::span<const std::string_view> choices;
  std::string_view example;
  std::string_view sentence;
};

// All keys, in the order of deploy/server.yaml.
std::span<const ConfigKey> ConfigKeys();

}  // namespace facegate
