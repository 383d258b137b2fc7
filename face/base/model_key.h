#pragma once

#include <string>

namespace facegate {

// Tells which model made an embedding. Templates of two models never meet in one search.
struct ModelKey {
  std::string model_digest;          // 64 hexadecimal digits
  std::string preprocessing_digest;  // 64 hexadecimal digits
  bool operator==(const ModelKey&) const = default;
};

}  // namespace facegate
