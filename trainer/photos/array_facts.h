#pragma once

#include <cstddef>
#include <memory>
#include <nlohmann/json_fwd.hpp>
#include <string>
#include <string_view>
#include <vector>

#include "face/base/status.h"

namespace facegate {

// No description of an array is longer: bcolz writes a default value for each element of a row.
inline constexpr size_t kMaxArrayFactsBytes = 16 << 20;

// A JSON object in which another program describes an array of numbers. Errors name the key.
class ArrayFacts {
 public:
  static StatusOr<ArrayFacts> Parse(std::string_view json);

  StatusOr<std::string> Text(const char* key) const;
  StatusOr<size_t> Size(const char* key) const;
  StatusOr<std::vector<size_t>> Sizes(const char* key) const;  // 32 at most

 private:
  explicit ArrayFacts(std::shared_ptr<const nlohmann::json> object) : object_(std::move(object)) {}

  std::shared_ptr<const nlohmann::json> object_;
};

}  // namespace facegate
